"""What to do with each fixture of a batch: a pure decision over what is stored and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sportmonks.config.catalog import GuardSettings, RecheckSettings
from sportmonks.load.changes import poorer_sections
from sportmonks.load.summary import PayloadSummary
from sportmonks.planning.recheck import (
    DELETED,
    ENDED_WITHOUT_RESULT,
    FINISHED,
    NOT_BEGUN,
    PLAYED,
    FixtureState,
    end_of,
    next_due,
)

SAVED, UNCHANGED, HELD, MISSING, FAILED = "SAVED", "UNCHANGED", "HELD", "MISSING", "FAILED"


@dataclass(frozen=True, slots=True)
class StoredState:
    """What the warehouse knows of a fixture before this answer."""

    facts: FixtureState
    content_hash: bytes | None = None
    held_hash: bytes | None = None
    includes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FixtureDecision:
    """The outcome for one fixture and the bookkeeping that goes with it."""

    fixture_id: int
    outcome: str
    status: str
    facts: FixtureState
    changed: bool = False
    held_hash: bytes | None = None
    error: str | None = None
    poorer: tuple[str, ...] = field(default=())
    stale: bool = False

    @property
    def returned(self) -> bool:
        return self.outcome in (SAVED, UNCHANGED, HELD)

    def row(self, recheck: RecheckSettings, guard: GuardSettings, now: datetime) -> dict[str, Any]:
        """The verdict as a row for ``load/decisions.sql`` and ``load/mark_plan.sql``."""
        facts = replace(
            self.facts,
            status=self.status,
            index_changed_at=None if self.returned else self.facts.index_changed_at,
        )
        due = next_due(facts, recheck, guard, now)
        ended_at = end_of(facts, recheck) if facts.state_id in FINISHED | ENDED_WITHOUT_RESULT else facts.ended_at
        return {
            "fixture_id": self.fixture_id,
            "outcome": self.outcome,
            "status": self.status,
            "returned": self.returned,
            "changed": self.changed,
            "ended_at": ended_at.isoformat() if ended_at else None,
            "unchanged_reads": facts.unchanged_reads,
            "held_reads": facts.held_reads,
            "held_hash": "\\x" + self.held_hash.hex() if self.held_hash else None,
            "missing_reads": facts.missing_reads,
            "failed_reads": facts.failed_reads,
            "error": self.error,
            "next_due_at": due.at.isoformat() if due else None,
            "due_reason": due.reason if due else None,
        }


def decide_returned(
    fixture_id: int,
    prior: StoredState,
    seen: PayloadSummary,
    content_hash: bytes,
    old_counts: Mapping[str, int] | None,
    guard: GuardSettings,
    now: datetime,
    bare: bool = False,
) -> FixtureDecision:
    """Verdict for a fixture that came back. ``old_counts``: rows per section of the stored payload, None = none;
    ``bare``: it lacks what others of the answer have (see ``bare_among``)."""
    facts = replace(
        prior.facts,
        state_id=seen.state_id,
        starting_at=seen.starting_at,
        ended_at=seen.ended_at,
        last_fetched_at=now,
        last_requested_at=now,
        held_reads=0,
        missing_reads=0,
        failed_reads=0,
    )
    status = "DELETED" if seen.state_id == DELETED else "COLLECTED"
    if prior.content_hash == content_hash:
        if prior.held_hash == content_hash and prior.facts.held_reads < guard.rereads:
            facts = replace(facts, held_reads=prior.facts.held_reads + 1)
            return FixtureDecision(fixture_id, UNCHANGED, status, facts, held_hash=content_hash)
        facts = replace(facts, unchanged_reads=prior.facts.unchanged_reads + 1)
        return FixtureDecision(fixture_id, UNCHANGED, status, facts)
    poorer = poorer_sections(old_counts, seen.counts, guard) if old_counts is not None else []
    if poorer and not _called_off(prior.facts.state_id, seen.state_id):
        # The same loss has to persist, not the same payload: other parts of it may go on changing meanwhile.
        loss = _loss(poorer, seen.counts)
        held = _held_before(prior, loss, guard, now) + 1
        if held <= guard.rereads:
            kept = replace(
                prior.facts,
                last_fetched_at=now,
                last_requested_at=now,
                held_reads=held,
                missing_reads=0,
                failed_reads=0,
            )
            text = f"poorer in {', '.join(poorer)}: kept what is stored (read {held} of {guard.rereads})"
            return FixtureDecision(
                fixture_id,
                HELD,
                prior.facts.status,
                kept,
                held_hash=loss,
                error=text,
                poorer=tuple(poorer),
            )
    doubted = bare and not poorer
    facts = replace(facts, unchanged_reads=0, held_reads=int(doubted))
    held_hash = content_hash if doubted else None
    return FixtureDecision(fixture_id, SAVED, status, facts, changed=True, held_hash=held_hash, poorer=tuple(poorer))


def bare_among(seen: Mapping[int, PayloadSummary]) -> frozenset[int]:
    """Played fixtures of an answer without one event, lineup or statistic, where others of them have some. There may
    be nothing richer to keep: they are stored, and doubted, which is asking again as for one that was held back."""
    told = {
        key: any(summarize.counts.get(name) for name in ("events", "lineups", "statistics"))
        for key, summarize in seen.items()
        if summarize.state_id in PLAYED
    }
    return frozenset(key for key, any_row in told.items() if not any_row) if any(told.values()) else frozenset()


def _called_off(before: int | None, after: int | None) -> bool:
    """Whether a match that had not begun will not be played now: what was announced goes with that. Of a match that
    has begun, nothing vanishes unguarded, abandoned or not."""
    return before != after and before in NOT_BEGUN and after in NOT_BEGUN | ENDED_WITHOUT_RESULT


def _held_before(prior: StoredState, loss: bytes, guard: GuardSettings, now: datetime) -> int:
    """Re-reads that told of the same loss. One that comes before its time, because somebody forced it, counts as one
    with the read before."""
    if prior.held_hash != loss:
        return 0
    read = prior.facts.last_fetched_at
    early = read is not None and now < read + timedelta(hours=guard.hours)
    return max(prior.facts.held_reads - early, 0)


def _loss(poorer: list[str], counts: Mapping[str, int]) -> bytes:
    text = ";".join(f"{name}={counts.get(name, 0)}" for name in poorer)
    return blake2b(text.encode(), digest_size=16).digest()


def decide_stale(fixture_id: int, prior: StoredState) -> FixtureDecision:
    """The answer is older than what another task has stored meanwhile: done, and nothing to write."""
    return FixtureDecision(
        fixture_id, UNCHANGED, prior.facts.status, prior.facts, held_hash=prior.held_hash, stale=True
    )


def decide_missing(fixture_id: int, prior: StoredState, now: datetime) -> FixtureDecision:
    """Asked, not returned: the data stays, the fixture is asked for again."""
    facts = replace(prior.facts, last_requested_at=now, missing_reads=prior.facts.missing_reads + 1)
    status = "MISSING" if prior.facts.status in ("PENDING", "FAILED") else prior.facts.status
    return FixtureDecision(
        fixture_id, MISSING, status, facts, held_hash=prior.held_hash, error="asked, not returned by the API"
    )


def decide_failed(fixture_id: int, prior: StoredState, error: str, now: datetime) -> FixtureDecision:
    """The fixture alone makes its batch fail, or its payload cannot be stored."""
    facts = replace(prior.facts, last_requested_at=now, failed_reads=prior.facts.failed_reads + 1)
    status = "FAILED" if prior.facts.status in ("PENDING", "MISSING") else prior.facts.status
    return FixtureDecision(fixture_id, FAILED, status, facts, held_hash=prior.held_hash, error=error[:500])
