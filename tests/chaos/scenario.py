"""A random scenario as data: the world, what happens in each phase, all of it drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

HOUR, DAY = 3600, 86_400

# Faults that end by themselves or with the phase; fixtures and seasons are chosen when the phase begins.
PASSING: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500, "rate": 0.2},
    {"kind": "status", "status": 503, "count": 4},
    {"kind": "status", "status": 502, "match": {"path": "multi"}, "count": 9},
    {"kind": "rate_limited", "count": 2, "seconds": 1},
    {"kind": "rate_limited", "count": 1, "seconds": 1, "where": "none"},
    {"kind": "rate_limited", "count": 2, "seconds": 2, "remaining": 0},
    {"kind": "rate_limited", "count": 3, "seconds": 0},
    {"kind": "hang", "count": 1, "seconds": 5},
    {"kind": "slow", "rate": 0.2, "seconds": 0.4},
    {"kind": "cut", "rate": 0.2},
    {"kind": "truncated_json", "rate": 0.2},
    {"kind": "invalid_json", "count": 2},
    {"kind": "html_200", "count": 2},
    {"kind": "content_type", "rate": 0.5},
    {"kind": "no_result", "match": {"path": "multi"}, "count": 2},
    {"kind": "no_result", "match": {"path": "/fixtures"}, "rate": 0.3},
    {"kind": "missing_ids", "match": {"path": "multi"}, "rate": 0.4, "n": 2},
    {"kind": "missing_ids", "match": {"path": "/fixtures"}, "rate": 0.4, "n": 6},
    {"kind": "poison"},
    {"kind": "poison", "poisoned": 3},
    {"kind": "season_down", "for_seconds": 2},
    {"kind": "forbidden_include", "include": "lineups"},
    {"kind": "forbidden_include", "include": "events"},
    {"kind": "shuffle", "rate": 1.0},
    {"kind": "duplicate", "rate": 0.5, "n": 2},
    {"kind": "repeated_page", "rate": 0.5},
    {"kind": "overlapping_page", "rate": 0.5},
    {"kind": "empty_strings", "rate": 0.5},
    {"kind": "unknown_keys", "rate": 0.3},
    {"kind": "null_fields", "match": {"path": "multi"}, "rate": 0.3},
    {"kind": "degraded", "rate": 0.4},
    {"kind": "degraded", "match": {"path": "multi"}, "rate": 1.0, "drop": ["lineups", "statistics"]},
    {"kind": "php_lists", "rate": 0.5},
    {"kind": "php_lists", "rate": 0.5, "data": True},
    {"kind": "bad_text", "rate": 0.3},
    {"kind": "odd_numbers", "rate": 0.3},
    {"kind": "odd_dates", "match": {"path": "multi"}, "rate": 0.3},
    {"kind": "deep_nesting", "match": {"path": "multi"}, "rate": 0.2},
    {"kind": "no_id", "match": {"path": "/fixtures"}, "rate": 0.4, "n": 2},
    {"kind": "short_page", "match": {"path": "/fixtures"}, "rate": 0.5},
    {"kind": "degraded", "match": {"path": "multi"}, "rate": 0.6, "drop": ["scores", "periods"]},
    {"kind": "called_off", "match": {"path": "multi"}, "rate": 0.5},
    {"kind": "called_off", "match": {"path": "multi"}, "rate": 0.5, "state_id": 15, "drop": ["statistics", "lineups"]},
    {"kind": "offset_times", "rate": 0.5},
    {"kind": "offset_times", "match": {"path": "multi"}, "rate": 1.0, "hours": -3.5},
    {"kind": "offset_times", "rate": 0.5, "at": "24:00:00"},
    {"kind": "offset_times", "match": {"path": "multi"}, "rate": 0.5, "at": "23:59:60"},
    {"kind": "other_season", "rate": 0.5},
    {"kind": "other_season", "rate": 1.0, "all": True},
    {"kind": "wrong_place", "match": {"path": "multi"}, "rate": 0.5},
    {"kind": "wrong_place", "rate": 0.5, "fields": ["league_id", "season_id"]},
    {"kind": "empty_lists", "match": {"path": "multi"}, "rate": 0.5},
    {"kind": "empty_lists", "match": {"path": "multi"}, "rate": 1.0},
    # The first batch of a season without any detail: what is believed must not depend on the order of batches.
    {"kind": "degraded", "match": {"path": "multi"}, "count": 1, "drop": ["events", "lineups", "statistics"]},
    {"kind": "null_rows", "match": {"path": "multi"}, "rate": 0.5},
    {"kind": "null_rows", "match": {"path": "multi"}, "rate": 1.0, "sections": ["events", "lineups"], "empty": True},
    {"kind": "half_match", "match": {"path": "multi"}, "rate": 0.5},
    {"kind": "half_match", "match": {"path": "multi"}, "rate": 1.0, "parts": ["scores"]},
    {"kind": "null_fields", "rate": 0.5, "fields": ["name", "venue_id", "round_id", "stage_id", "season_id", "length"]},
    {"kind": "empty_index", "rate": 0.5},
    {"kind": "empty_index", "rate": 1.0},
    {"kind": "refused_once"},
    {"kind": "huge", "count": 1, "megabytes": 2},
    {"kind": "no_rate_limit", "rate": 0.5},
    {"kind": "wrong_rate_limit", "rate": 0.5},
    {"kind": "wrong_rate_limit", "rate": 1.0, "remaining": 2**63 - 1},
    {"kind": "echo_key", "status": 500, "rate": 0.2},
    {"kind": "echo_key", "status": 429, "form": "percent", "count": 2},
    {"kind": "echo_key", "status": 200, "form": "base64", "rate": 0.5},
    {"kind": "error_200", "body": "errors", "rate": 0.3},
    {"kind": "error_200", "body": "status", "match": {"path": "/fixtures"}, "rate": 0.5},
    {"kind": "error_200", "body": "message", "match": {"path": "multi"}, "count": 3},
    {"kind": "limited_403", "count": 2, "seconds": 1},
)
MISLEADING = frozenset({"no_rate_limit", "wrong_rate_limit"})
SABOTAGES = ("delete", "corrupt", "stale", "foreign", "nonsense")


@dataclass(frozen=True)
class Phase:
    """What happens before and during one run (or two at once). Times in seconds."""

    advance: float = 0.0
    corrections: int = 0
    deletions: int = 0
    recreations: int = 0
    faults: tuple[dict[str, Any], ...] = ()
    sabotage: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    twin: bool = False
    kill_chance: float = 0.0
    postgres_crash_after: float | None = None
    clock_jump_after: tuple[float, float] | None = None  # (real seconds, seconds of the clock)
    # (seconds from the start, seconds that it lasts): a proxy before the warehouse passes nothing on; the primary only
    # reads, as one that has failed over to a standby.
    silence: tuple[float, float] | None = None
    read_only: tuple[float, float] | None = None
    clear: str | None = None  # "chunk" or "run": done again under the same execution afterwards


@dataclass(frozen=True)
class Scenario:
    """One random run of the suite."""

    seed: int
    seasons: int
    teams: int
    batch_size: int
    now: str
    latency: float
    limit: int | None  # calls per short window, None: as good as unlimited
    window: float
    workers: int
    typed_rows: bool  # False: PostgreSQL takes all rows out of the JSON
    phases: tuple[Phase, ...]


def scenario(seed: int) -> Scenario:
    """The scenario of a seed; equal seeds, equal scenarios."""
    rng = Random(f"chaos {seed}")
    tight = rng.random() < 0.25
    phases = tuple(_phase(rng, number, tight) for number in range(rng.randint(2, 4)))
    return Scenario(
        seed=seed,
        seasons=rng.choice((2, 2, 3)),
        teams=rng.choice((4, 4, 6)),
        batch_size=rng.choice((3, 5, 8, 50)),
        now=f"2026-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}T{rng.randint(11, 22):02d}:00:00",
        latency=rng.choice((0.0, 0.02, 0.1)),
        limit=rng.choice((6, 10)) if tight else None,
        window=2.0,
        workers=rng.choice((1, 2, 3)),
        typed_rows=rng.random() < 0.7,
        phases=phases,
    )


def _phase(rng: Random, number: int, tight: bool) -> Phase:
    kinds = [fault for fault in PASSING if not (tight and fault["kind"] in MISLEADING)]
    faults = tuple(rng.sample(kinds, rng.choice((0, 1, 1, 2, 3))))
    params: dict[str, Any] = {}
    if number and rng.random() < 0.3:
        params["force"] = True
        params["continue_from_checkpoint"] = rng.random() < 0.7
    if rng.random() < 0.15:
        params["clear_checkpoint"] = True
    if rng.random() < 0.15:
        params["max_fixtures"] = rng.randint(1, 30)
    if rng.random() < 0.1:
        params["max_chunks"] = 1
    if rng.random() < 0.1:
        params["includes"] = ["participants", "scores"]
    clear = rng.choice(("chunk", "run")) if rng.random() < 0.3 else None
    silence = (rng.uniform(0.1, 1.0), rng.uniform(1.0, 5.0)) if rng.random() < 0.15 else None
    read_only = (rng.uniform(0.1, 1.0), rng.uniform(1.0, 4.0)) if rng.random() < 0.15 else None
    return Phase(
        advance=rng.choice((0, 60, HOUR, 3 * HOUR, DAY, 8 * DAY, 31 * DAY)) if number else 0,
        corrections=rng.choice((0, 0, 2, 5)) if number else 0,
        deletions=rng.choice((0, 0, 0, 1, 2)) if number else 0,
        recreations=rng.choice((0, 0, 0, 1, 2)) if number else 0,
        faults=faults,
        sabotage=rng.choice(SABOTAGES) if rng.random() < 0.5 else None,
        params=params,
        twin=rng.random() < 0.25,
        kill_chance=rng.choice((0.2, 0.5, 0.8, 1.0)),
        postgres_crash_after=rng.uniform(0.1, 1.5) if rng.random() < 0.25 else None,
        clock_jump_after=(rng.uniform(0.1, 1.0), rng.choice((-HOUR, 60.0, 2 * HOUR, 2.0 * DAY)))
        if rng.random() < 0.2
        else None,
        silence=silence,
        read_only=read_only,
        clear=clear,
    )
