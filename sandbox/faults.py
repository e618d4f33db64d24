"""Faults on demand: what the provider does on bad days. Kinds and their settings are in `KINDS`.

A fault is posted as {"kind": ..., "match": {...}, "count": n | "rate": p, "for_seconds": s, ...settings}.
`match` narrows it (all given must hold): `path` (contained in the path), `entity` (the budget), `season` (the request
is about it, or about one of its fixtures), `fixture_id` (asked for by id or multi). `count` is how many requests it
strikes (default 1; without end for poison, season_down, forbidden_include, unauthorized), `rate` the share of
matching requests, drawn from the sandbox's seed. A fault of rows with `fixture_id` strikes lists as well (give it
`rate` 1.0 there: a count would be used up by pages without that fixture). GET /_admin/faults?help=1 prints the kinds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

KINDS: dict[str, str] = {
    "status": "HTTP `status` (default 500; 502, 503, 504...) with an HTML body",
    "rate_limited": "429 though quota is left; `where` = both|header|body|none and `seconds` (default 1) to wait",
    "unauthorized": "401 though the key is right",
    "hang": "no answer for `seconds` (default 60), then the connection is closed",
    "slow": "the right answer after `seconds` (default 2)",
    "cut": "the connection ends after `share` (default 0.5) of the body",
    "truncated_json": "200 whose body is complete for HTTP but cut JSON",
    "invalid_json": "200 whose body is JSON but for three characters in it",
    "html_200": "200 with an HTML page",
    "content_type": "good JSON labelled text/html",
    "no_result": "the no-result answer although there are rows",
    "missing_ids": "multi and lists leave out `ids`, else `n` rows (default 1)",
    "poison": "any request for match.fixture_id answers `status` (default 500), alone or in a batch",
    "season_down": "everything about match.season answers `status` (default 503)",
    "forbidden_include": "403 with code 5002 for `include` (default lineups) as long as the fault lasts",
    "shuffle": "rows in another order",
    "duplicate": "`n` rows (default 1) come twice",
    "repeated_page": "a page after the first repeats the page before it, pagination says it did not",
    "overlapping_page": "a page after the first begins `n` rows (default 3) too early",
    "empty_strings": 'integers of base fields become "" (`fields`, default venue_id, round_id, length)',
    "unknown_keys": "rows and their nested rows carry keys nobody knows",
    "null_fields": "base `fields` (default name, starting_at, starting_at_timestamp, state_id) become null",
    "poorer": "the includes in `drop` (default lineups, events) come empty",
    "set_fields": "base fields get `values`, e.g. {state_id: 99}; with `part` the first row of that include instead",
    "huge": "each row carries `megabytes` (default 5) more",
    "no_rate_limit": "neither body nor headers say what remains",
    "wrong_rate_limit": "body and headers say `remaining` (default 999999)",
}
LASTING = {"poison", "season_down", "forbidden_include", "unauthorized"}
INSTEAD = (
    "unauthorized",
    "status",
    "rate_limited",
    "hang",
    "html_200",
    "no_result",
    "poison",
    "season_down",
    "forbidden_include",
)
ON_ROWS = (
    "missing_ids",
    "shuffle",
    "duplicate",
    "empty_strings",
    "unknown_keys",
    "null_fields",
    "poorer",
    "huge",
    "set_fields",
)
MATCHES = ("path", "entity", "season", "fixture_id")
REQUIRED = {"poison": "fixture_id", "season_down": "season"}


@dataclass
class About:
    """What a request is about, as far as faults can match it."""

    path: str
    entity: str
    fixture_ids: set[int] = field(default_factory=set)
    seasons: set[int] = field(default_factory=set)
    includes: set[str] = field(default_factory=set)


@dataclass
class Fault:
    id: int
    kind: str
    match: dict[str, Any]
    left: int | None
    rate: float | None
    until: float | None
    settings: dict[str, Any]
    hits: int = 0

    def concerns(self, about: About) -> bool:
        match = self.match
        if (
            self.kind == "forbidden_include"
            and str(self.settings.get("include", "lineups")).lower() not in about.includes
        ):
            return False
        return (
            match.get("path", "") in about.path
            and match.get("entity", about.entity) == about.entity
            and ("season" not in match or int(match["season"]) in about.seasons)
            and ("fixture_id" not in match or self._among(int(match["fixture_id"]), about))
        )

    def _among(self, fixture_id: int, about: About) -> bool:
        """Asked for by its id; on a list it may be one of the rows, which only a fault of rows can find out."""
        in_a_list = self.kind in ON_ROWS and about.entity == "Fixture" and not about.fixture_ids
        return in_a_list or fixture_id in about.fixture_ids

    def get(self, name: str, default: Any) -> Any:
        return self.settings.get(name, default)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "match": self.match,
            "left": self.left,
            "rate": self.rate,
            "settings": self.settings,
            "hits": self.hits,
        }


class Faults:
    """The faults that wait to strike, in the order they were posted."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._next = 1
        self.waiting: list[Fault] = []

    def add(self, spec: dict[str, Any]) -> Fault:
        """ValueError tells what is wrong with a specification."""
        settings = dict(spec)
        kind, match = settings.pop("kind", None), settings.pop("match", None) or {}
        if kind not in KINDS:
            raise ValueError(f"unknown fault kind {kind!r}: choose one of {', '.join(KINDS)}")
        unknown = set(match) - set(MATCHES)
        if unknown:
            raise ValueError(f"unknown match {sorted(unknown)}: choose from {', '.join(MATCHES)}")
        if REQUIRED.get(kind, "path") not in match and kind in REQUIRED:
            raise ValueError(f"{kind} needs match.{REQUIRED[kind]}")
        count, rate, lasts = settings.pop("count", None), settings.pop("rate", None), settings.pop("for_seconds", None)
        if count is not None and (not isinstance(count, int) or count < 1):
            raise ValueError(f"count is {count!r}: give a number of at least 1")
        if rate is not None and not 0 < float(rate) <= 1:
            raise ValueError(f"rate is {rate!r}: give a share above 0 up to 1")
        left = count if count is not None else None if rate is not None or lasts is not None or kind in LASTING else 1
        until = None if lasts is None else time.monotonic() + float(lasts)
        fault = Fault(self._next, kind, match, left, None if rate is None else float(rate), until, settings)
        self._next += 1
        self.waiting.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> int:
        before = len(self.waiting)
        self.waiting = [] if fault_id is None else [fault for fault in self.waiting if fault.id != fault_id]
        return before - len(self.waiting)

    def strike(self, about: About) -> list[Fault]:
        """The faults that strike this request: at most one that replaces the answer, else all that bend it."""
        struck: list[Fault] = []
        now = time.monotonic()
        self.waiting = [f for f in self.waiting if (f.until is None or f.until > now) and f.left != 0]
        for fault in self.waiting:
            if not fault.concerns(about) or (fault.rate is not None and self._rng.random() >= fault.rate):
                continue
            if fault.kind in INSTEAD:
                struck = [fault]
                break
            struck.append(fault)
        for fault in struck:
            fault.hits += 1
            if fault.left is not None:
                fault.left -= 1
        return struck

    def bend(self, fault: Fault, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of an answer after a fault of ON_ROWS."""
        if fault.kind == "missing_ids":
            ids = set(fault.get("ids", ())) or {
                row.get("id") for row in self._rng.sample(rows, min(len(rows), fault.get("n", 1)))
            }
            return [row for row in rows if row.get("id") not in ids]
        if fault.kind == "shuffle":
            order = list(rows)
            self._rng.shuffle(order)
            return order if order != rows else rows[::-1]
        if fault.kind == "duplicate":
            return rows + [dict(row) for row in rows[: fault.get("n", 1)]]
        only = fault.match.get("fixture_id")
        for row in rows:
            if only is None or row.get("id") == int(only):
                _spoil(fault, row)
        return rows


def _spoil(fault: Fault, row: dict[str, Any]) -> None:
    if fault.kind == "empty_strings":
        row.update({name: "" for name in fault.get("fields", ("venue_id", "round_id", "length")) if name in row})
    elif fault.kind == "null_fields":
        names = fault.get("fields", ("name", "starting_at", "starting_at_timestamp", "state_id"))
        row.update({name: None for name in names if name in row})
    elif fault.kind == "poorer":
        row.update({name: [] for name in fault.get("drop", ("lineups", "events")) if name in row})
    elif fault.kind == "set_fields":
        part = row.get(fault.get("part", "")) if "part" in fault.settings else [row]
        for target in (part or [])[:1]:
            target.update(fault.get("values", {"state_id": 99}))
    elif fault.kind == "huge":
        row["padding"] = "x" * int(fault.get("megabytes", 5) * 1_000_000)
    elif fault.kind == "unknown_keys":
        for value in list(row.values()):
            for inner in value if isinstance(value, list) else ():
                if isinstance(inner, dict):
                    inner["unheard_of"] = {"new": [1, None]}
        row["brand_new_field"] = {"nested": True, "list": [1, 2, 3]}
