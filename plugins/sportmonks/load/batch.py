"""One batch, one transaction: raw payloads, typed tables, ledger, bookkeeping, plan and counters.

Either all of a batch is in the warehouse or nothing of it; what is written does not depend on the order of batches.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from sportmonks.config.catalog import GuardSettings, RecheckSettings
from sportmonks.errors import LostLease
from sportmonks.load.decision import (
    SAVED,
    FixtureDecision,
    StoredState,
    bare_among,
    decide_failed,
    decide_missing,
    decide_returned,
    decide_stale,
)
from sportmonks.load.payloads import Payload, read_payloads
from sportmonks.load.stored import StoredPayload, holds, read_old, read_prior
from sportmonks.planning.recheck import FixtureState
from sportmonks.warehouse.connection import sql

log = logging.getLogger(__name__)

_TYPED = ("sections", "participants", "scores", "events", "lineups", "lineups_details", "statistics", "periods")
# The value is to blame, not the moment: repeating the same would fail the same.
_UNFIT = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)


@dataclass(frozen=True, slots=True)
class FetchedBatch:
    """The response to one batch: payloads by fixture id, ids that were not returned, ids that cannot be read.

    ``includes``: those that were requested in the end, None for those of the context; ``at``: when the call began,
    None for now; ``answer_id``: the key under which the response is saved until it is stored; ``parsed``: the result
    of ``read_payloads`` on the rows, where a thread has read them already.
    """

    number: int
    requested: tuple[int, ...]
    rows: Mapping[int, bytes | msgspec.Raw]
    missing: tuple[int, ...] = ()
    poisoned: Mapping[int, str] = field(default_factory=dict)
    calls: int = 1
    bytes: int = 0
    seconds: float = 0.0
    includes: tuple[str, ...] | None = None
    at: datetime | None = None
    answer_id: str | None = None
    parsed: tuple[Mapping[int, Payload], Mapping[int, str]] | None = None


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch: its number, fixtures by outcome, changes in the ledger, reasons by fixture id."""

    number: int
    outcomes: Mapping[str, int]
    changes: int
    problems: Mapping[int, str]

    @property
    def processed(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class LoadContext:
    """Where a batch belongs and by which rules it is judged."""

    execution_id: str
    league_id: int
    season_id: int
    fence: int
    includes: tuple[str, ...]
    recheck: RecheckSettings = field(default_factory=RecheckSettings)
    guard: GuardSettings = field(default_factory=GuardSettings)
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def sql_params(self) -> dict[str, Any]:
        """The keys that every statement of a batch binds."""
        return {"execution_id": self.execution_id, "league_id": self.league_id, "season_id": self.season_id}

    def lost_lease(self) -> LostLease:
        return LostLease(
            f"Chunk {self.league_id}_{self.season_id} was taken over by another task; this one stops.",
            hint="Nothing to do: the newer task goes on from the last stored batch.",
        )


@dataclass(slots=True)
class _Batch:
    """A fetched batch and what it was asked with and judged at."""

    fetched: FetchedBatch
    context: LoadContext
    includes: tuple[str, ...]
    now: datetime
    at: datetime
    payloads: dict[int, Payload]
    unreadable: dict[int, str]


def store_batch(conn: psycopg.Connection[Any], fetched: FetchedBatch, context: LoadContext) -> BatchResult:
    """Write one fetched batch. Raises LostLease when another owner has the chunk, psycopg errors as they are.

    A value that a typed column cannot take is tried again cleaned; a fixture that still does not fit is recorded
    as failed, and the others are stored. An answer that is kept (``answer_id``) is stored once, however often asked.
    """
    payloads, unreadable = fetched.parsed or read_payloads(fetched.rows)
    now = context.clock()
    includes = context.includes if fetched.includes is None else fetched.includes
    unreadable = {**unreadable, **fetched.poisoned}
    batch = _Batch(fetched, context, includes, now, fetched.at or now, dict(payloads), unreadable)
    try:
        return _write(conn, batch)
    except _UNFIT as error:
        log.warning("Batch %s holds values that do not fit (%s); storing it cleaned", fetched.number, error.sqlstate)
    batch.payloads = {key: payload.fitting() for key, payload in batch.payloads.items()}
    try:
        return _write(conn, batch)
    except _UNFIT:
        batch.unreadable |= _unfit(conn, batch)
    batch.payloads = {key: value for key, value in batch.payloads.items() if key not in batch.unreadable}
    return _write(conn, batch)


def _write(conn: psycopg.Connection[Any], batch: _Batch) -> BatchResult:
    fetched, context = batch.fetched, batch.context
    with conn.transaction():
        _hold_lease(conn, context)
        if fetched.answer_id and not conn.execute(sql("load/take_answer"), {"answer_id": fetched.answer_id}).fetchone():
            return _stored_before(conn, batch)
        prior = read_prior(conn, fetched.requested)
        old = read_old(conn, batch.payloads, batch.includes, prior)
        verdicts = _judge(batch, prior, old)
        saved = [verdict.fixture_id for verdict in verdicts if verdict.outcome == SAVED]
        if saved:
            known = {key: old[key].includes if key in old else () for key in saved}
            rows = ((key, batch.payloads[key], key in old, holds(batch.includes, known[key])) for key in saved)
            _copy(conn, rows, batch.at)
            _load_typed(conn, batch)
        ledger = _write_ledger(conn, saved, batch, old, prior)
        _write_verdicts(conn, verdicts, batch)
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    problems = {verdict.fixture_id: verdict.error for verdict in verdicts if verdict.error}
    return BatchResult(fetched.number, dict(outcomes), ledger, problems)


def _hold_lease(conn: psycopg.Connection[Any], context: LoadContext) -> None:
    """A shared lock lets the chunk's own writers work side by side and makes a new owner wait for them."""
    row = conn.execute(
        sql("load/hold_lease"), {"league_id": context.league_id, "season_id": context.season_id}
    ).fetchone()
    if row is None or row[0] != context.fence:
        raise context.lost_lease()


def _stored_before(conn: psycopg.Connection[Any], batch: _Batch) -> BatchResult:
    """The answer has gone in already: the connection broke after the commit, before we heard of it."""
    names = {**batch.context.sql_params(), "ids": list(batch.fetched.requested)}
    return BatchResult(batch.fetched.number, dict(conn.execute(sql("load/stored_outcomes"), names).fetchall()), 0, {})


def _judge(batch: _Batch, prior: Mapping[int, StoredState], old: Mapping[int, StoredPayload]) -> list[FixtureDecision]:
    verdicts = []
    bare = bare_among({key: payload.summary for key, payload in batch.payloads.items()})
    for fixture_id in batch.fetched.requested:
        before = prior.get(fixture_id, StoredState(FixtureState()))
        read_before = before.facts.last_fetched_at
        if read_before and batch.at < read_before <= batch.now:
            verdicts.append(decide_stale(fixture_id, before))
        elif fixture_id in batch.unreadable:
            verdicts.append(decide_failed(fixture_id, before, batch.unreadable[fixture_id], batch.at))
        elif payload := batch.payloads.get(fixture_id):
            counts = old[fixture_id].counts if fixture_id in old else None
            seen, content_hash, guard = payload.summary, payload.content_hash, batch.context.guard
            verdicts.append(
                decide_returned(fixture_id, before, seen, content_hash, counts, guard, batch.at, fixture_id in bare)
            )
        else:
            verdicts.append(decide_missing(fixture_id, before, batch.at))
    return verdicts


def _copy(
    conn: psycopg.Connection[Any], rows: Iterable[tuple[int, Payload, bool, tuple[str, ...]]], at: datetime
) -> None:
    conn.execute(sql("load/incoming"))
    columns = "fixture_id, payload, cleaned, content_hash, known, includes, collected_at"
    with (
        conn.cursor() as cursor,
        cursor.copy(f"COPY incoming ({columns}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.set_types(["int8", "jsonb", "jsonb", "bytea", "bool", "text[]", "timestamptz"])
        for key, payload, known, includes in rows:
            cleaned = _AsJsonb(payload.cleaned) if payload.cleaned is not None else None
            copy.write_row((key, _AsJsonb(payload.raw), cleaned, payload.content_hash, known, list(includes), at))


class _AsJsonb(Jsonb):
    """JSON that is bytes already: handed to PostgreSQL as it is."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw, dumps=_as_is)


def _as_is(raw: bytes) -> bytes:
    return raw


def _load_typed(conn: psycopg.Connection[Any], batch: _Batch) -> None:
    context = batch.context
    conn.execute(sql("load/raw"))
    conn.execute("\n".join(sql(f"load/{name}") for name in _TYPED))
    conn.execute(sql("load/fixtures"), {"league_id": context.league_id, "season_id": context.season_id})


def _write_ledger(
    conn: psycopg.Connection[Any],
    saved: Iterable[int],
    batch: _Batch,
    old: Mapping[int, StoredPayload],
    prior: Mapping[int, StoredState],
) -> int:
    rows: list[dict[str, Any]] = []
    for fixture_id in saved:
        if fixture_id not in old:
            continue
        ended = prior[fixture_id].facts.ended_at
        hours = round((batch.at - ended).total_seconds() / 3600, 2) if ended else None
        for change in old[fixture_id].changes:
            told = {"section": change.section, "field": change.field, "before": change.before, "after": change.after}
            rows.append({"fixture_id": fixture_id, "hours": hours, **told})
    if rows:
        conn.execute(sql("load/ledger"), {"changes": Jsonb(rows), "now": batch.at, **batch.context.sql_params()})
    return len(rows)


def _write_verdicts(conn: psycopg.Connection[Any], verdicts: list[FixtureDecision], batch: _Batch) -> None:
    """The collector's bookkeeping, the marks in the plan, the figures of the chunk."""
    context, names = batch.context, batch.context.sql_params()
    rows = Jsonb([verdict.row(context.recheck, context.guard, batch.at) for verdict in verdicts if not verdict.stale])
    conn.execute(sql("load/decisions"), {"decisions": rows, "now": batch.at, "includes": list(batch.includes)})
    marks = Jsonb([{"fixture_id": v.fixture_id, "outcome": v.outcome, "error": v.error} for v in verdicts])
    conn.execute(sql("load/mark_plan"), {"decisions": marks, "now": batch.now, **names})
    count = Counter(verdict.outcome for verdict in verdicts)
    figures = {
        "processed": len(verdicts),
        "saved": count["SAVED"],
        "unchanged": count["UNCHANGED"] + count["HELD"],
        "failed": count["FAILED"],
        "missing": count["MISSING"],
        "calls": batch.fetched.calls,
        "bytes": batch.fetched.bytes,
    }
    conn.execute(sql("load/progress"), {**figures, **names})


def _unfit(conn: psycopg.Connection[Any], batch: _Batch) -> dict[int, str]:
    """Which fixtures cannot be stored even cleaned, each tried alone and rolled back."""
    found: dict[int, str] = {}
    for fixture_id, payload in batch.payloads.items():
        try:
            with conn.transaction(force_rollback=True):
                _copy(conn, [(fixture_id, payload, True, batch.includes)], batch.at)
                _load_typed(conn, batch)
        except _UNFIT as error:
            found[fixture_id] = f"cannot be stored: {str(error).splitlines()[0]}"
    return found
