"""Stores one batch in one transaction: raw payloads, typed tables, change ledger, counters and the marks in the plan.

Either all of a batch is in the warehouse or nothing of it. What is written does not depend on the order of batches.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from sportmonks.api.response import PackedBody
from sportmonks.config.catalog import GuardSettings, RecheckSettings
from sportmonks.errors import LostLeaseError
from sportmonks.load.copy import EncodedRows
from sportmonks.load.decision import HELD, SAVED, UNCHANGED, FixtureDecision, StoredState, decide_batch
from sportmonks.load.fields import FixtureFields
from sportmonks.load.payloads import Payload, rows_by_section
from sportmonks.load.reading import ReadBatch, read_batch, stored_hashes
from sportmonks.load.sections import by_section
from sportmonks.load.stored import StoredPayload, compare_with_stored, hold_degraded, read_stored_states
from sportmonks.load.write import JsonBytes, SavedFixture, write_payloads
from sportmonks.planning.recheck import FixtureState
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.sqlstate import ROW_ERRORS

log = logging.getLogger(__name__)

# So many fixtures with odd values are named in the log; all of them have it in last_error.
MAX_REMARKS = 5


@dataclass(frozen=True, slots=True)
class FetchedBatch:
    """The response to one batch: payloads by fixture id, ids that were not returned, ids that cannot be read.

    ``includes``: those that were requested in the end, None for those of the context; ``at``: when the call began,
    None for now; ``answer_id``: the key under which the response is saved until it is stored; ``read``: the rows, where
    a thread has read them already; ``api_answers``: the API has answered some request of the batch; ``bodies``: what
    the rows are from, as it came (gzip), in the order of the requests; empty when any of it came otherwise.
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
    read: ReadBatch | None = None
    api_answers: bool = False
    bodies: tuple[PackedBody, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch: its number, fixtures by outcome, changes in the ledger, reasons by fixture id.

    ``anew``: sections of fixtures that were stored before, requested now for the first time, by fixture id.
    """

    number: int
    outcomes: Mapping[str, int]
    changes: int
    problems: Mapping[int, str]
    anew: Mapping[int, frozenset[str]] = field(default_factory=dict)

    @property
    def processed(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class LoadContext:
    """The chunk and run that a batch belongs to, and the settings by which its fixtures are decided.

    ``fence``: number of the lease under which the task collects the chunk; ``includes``: those that a batch requests
    if it does not say otherwise. ``usual_includes``: those that the league's runs request; what is read in a run
    without one of them does not count in the recheck schedule. ``typed``: rows are read here where their types allow
    it, see ``load.write``. ``verify``: tables are compared with payloads that have not changed, as in a forced run.
    """

    execution_id: str
    league_id: int
    season_id: int
    fence: int
    includes: tuple[str, ...]
    usual_includes: tuple[str, ...] = ()
    recheck: RecheckSettings = field(default_factory=RecheckSettings)
    guard: GuardSettings = field(default_factory=GuardSettings)
    typed: bool = True
    verify: bool = False
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def sql_params(self) -> dict[str, Any]:
        """The parameters that the statements of a batch have in common."""
        return {"execution_id": self.execution_id, "league_id": self.league_id, "season_id": self.season_id}

    def lost_lease(self) -> LostLeaseError:
        return LostLeaseError(
            f"Chunk {self.league_id}_{self.season_id} was taken over by another task; this one stops.",
            hint="Nothing to do: the newer task goes on from the last stored batch.",
        )


@dataclass(slots=True)
class _BatchInWork:
    """A fetched batch on its way in. ``at``: when its call began, ``now``: when storing it began.

    ``payloads`` change with each step: completed from what is stored, cleaned, without those that do not fit; ``rows``
    are of the payloads that seemed to be new when they were read.
    """

    fetched: FetchedBatch
    context: LoadContext
    includes: tuple[str, ...]
    now: datetime
    at: datetime
    payloads: dict[int, Payload]
    unreadable: dict[int, str]
    rows: Mapping[int, EncodedRows]


def store_batch(conn: psycopg.Connection[Any], fetched: FetchedBatch, context: LoadContext) -> BatchResult:
    """Store one fetched batch. Raises LostLeaseError when another task has the chunk, and psycopg errors as they are.

    If a typed column cannot take a value, the batch is tried again with cleaned payloads. A fixture that does not fit
    even so is recorded as failed, and the others are stored. A response with an ``answer_id`` is stored once, however
    often this is called with it.
    """
    now = context.clock()
    at = fetched.at or now
    read = fetched.read or read_batch(fetched.rows, stored_hashes(conn, fetched.requested), at, typed=context.typed)
    includes = context.includes if fetched.includes is None else fetched.includes
    unreadable = {**read.unreadable, **fetched.poisoned}
    batch = _BatchInWork(fetched, context, includes, now, at, dict(read.payloads), unreadable, read.rows)
    try:
        return _write(conn, batch)
    except ROW_ERRORS as error:
        log.warning("Batch %s holds values that do not fit (%s); storing it cleaned", fetched.number, error.sqlstate)
    batch.payloads = {key: payload.fitting() for key, payload in batch.payloads.items()}
    try:
        return _write(conn, batch)
    except ROW_ERRORS:
        batch.unreadable |= _find_unfit(conn, batch)
    batch.payloads = {key: value for key, value in batch.payloads.items() if key not in batch.unreadable}
    return _write(conn, batch)


def _write(conn: psycopg.Connection[Any], batch: _BatchInWork) -> BatchResult:
    fetched, context = batch.fetched, batch.context
    with conn.transaction():
        check_lease(conn, context)
        if fetched.answer_id and not conn.execute(sql("load/take_answer"), {"answer_id": fetched.answer_id}).fetchone():
            return _result_of_earlier_commit(conn, batch)
        states = read_stored_states(conn, fetched.requested)
        batch.payloads, stored, incomparable = compare_with_stored(conn, batch.payloads, batch.includes, states)
        batch.unreadable |= incomparable
        counts = {key: payload.counts for key, payload in stored.items()}
        decisions = decide_batch(
            fetched.requested,
            batch.payloads,
            batch.unreadable,
            states,
            counts,
            context.guard,
            at=batch.at,
            now=batch.now,
            # Those of the context, not of the batch: an include that the API has refused meanwhile is not lacking.
            complete=set(context.usual_includes) <= set(context.includes),
            includes=batch.includes,
            usual=context.usual_includes,
            halved={key: payload.halved for key, payload in stored.items()},
        )
        _log_suspected(decisions)
        decisions = [_with_remark(decision, batch.payloads) for decision in decisions]
        decisions, payloads = _hold_sections(decisions, stored, batch)
        fields: dict[int, FixtureFields] = {}
        saved = [decision.fixture_id for decision in decisions if decision.changed]
        if saved:
            includes = {key: stored[key].includes_after if key in stored else batch.includes for key in saved}
            fixtures = [SavedFixture(key, payloads[key], key in stored, includes[key]) for key in saved]
            _add_fixtures(conn, [key for key in saved if key not in states], batch)
            fields = write_payloads(conn, fixtures, batch.at, encoded=batch.rows, typed=context.typed)
        changes = _write_changes(conn, saved, batch, stored, states)
        _write_decisions(conn, decisions, payloads, fields, batch)
        if context.verify:
            _forget_incomplete(conn, decisions, batch)
    _log_remarks(batch)
    outcomes = Counter(decision.outcome for decision in decisions)
    problems = {decision.fixture_id: decision.error for decision in decisions if decision.error}
    requested = by_section(batch.includes).keys()
    anew = {key: frozenset(requested - by_section(states[key].includes).keys()) for key in saved if key in stored}
    return BatchResult(
        fetched.number, dict(outcomes), changes, problems, {key: new for key, new in anew.items() if new}
    )


def _forget_incomplete(
    conn: psycopg.Connection[Any], decisions: Iterable[FixtureDecision], batch: _BatchInWork
) -> None:
    """Fixtures that have not changed and whose tables have fewer rows than their payload: somebody has deleted some.
    They count as never read, so that the next run stores them anew."""
    rows = [
        {"fixture_id": decision.fixture_id, "section": name, "rows": count}
        for decision in decisions
        if decision.outcome == UNCHANGED and not decision.stale and decision.fixture_id in batch.payloads
        for name, count in rows_by_section(batch.payloads[decision.fixture_id]).items()
        if count
    ]
    lost = conn.execute(sql("load/incomplete"), {"rows": Jsonb(rows)}).fetchall() if rows else []
    if lost:
        ids = [row[0] for row in lost]
        conn.execute(sql("load/forget"), {"ids": ids, "now": batch.now})
        some = ", ".join(map(str, ids[:5]))
        log.warning("%d fixtures lack rows that their payload has; the next run stores them anew: %s", len(ids), some)


def _with_remark(decision: FixtureDecision, payloads: Mapping[int, Payload]) -> FixtureDecision:
    """The decision with what had to be repaired in the payload, which goes to ``last_error`` and into the plan."""
    payload = payloads.get(decision.fixture_id)
    if payload is None or not payload.remark or decision.stale or decision.outcome not in (SAVED, UNCHANGED, HELD):
        return decision
    text = "; ".join(filter(None, (decision.error, payload.remark)))
    return replace(decision, error=text[:500])


def _hold_sections(
    decisions: Iterable[FixtureDecision], stored: dict[int, StoredPayload], batch: _BatchInWork
) -> tuple[list[FixtureDecision], Mapping[int, Payload]]:
    """The decisions and payloads, where degraded sections keep their stored rows and the rest is stored at once.

    The entries of ``stored`` then tell what that changes.
    """
    payloads, found = dict(batch.payloads), []
    for decision in decisions:
        key = decision.fixture_id
        if decision.held_sections and (
            held := hold_degraded(payloads[key], stored[key], decision.held_sections, batch.includes)
        ):
            payloads[key], stored[key] = held
            reads = decision.state.unchanged_reads if decision.partial else 0
            decision = replace(decision, changed=True, state=replace(decision.state, unchanged_reads=reads))
        found.append(decision)
    return found, payloads


def _log_suspected(decisions: Iterable[FixtureDecision]) -> None:
    suspected = [each for each in decisions if each.suspected and each.state.held_reads]
    if suspected:
        names = sorted({name for each in suspected for name in each.suspected or ()})
        some = ", ".join(str(each.fixture_id) for each in suspected[:5])
        log.warning("%d fixtures came without %s and are read again soon: %s", len(suspected), ", ".join(names), some)


def check_lease(conn: psycopg.Connection[Any], context: LoadContext) -> None:
    """Lock the chunk against a new owner, who waits for the batch; writers and heartbeats of this one do not wait.

    Raises LostLeaseError when another task has it by now.
    """
    row = conn.execute(
        sql("load/hold_lease"), {"league_id": context.league_id, "season_id": context.season_id}
    ).fetchone()
    if row is None or row[0] != context.fence:
        raise context.lost_lease()


def _result_of_earlier_commit(conn: psycopg.Connection[Any], batch: _BatchInWork) -> BatchResult:
    """The response is stored already: the connection broke after the commit, before its success was reported."""
    params = {**batch.context.sql_params(), "ids": list(batch.fetched.requested)}
    return BatchResult(batch.fetched.number, dict(conn.execute(sql("load/stored_outcomes"), params).fetchall()), 0, {})


def _log_remarks(batch: _BatchInWork) -> None:
    remarks = [f"{key}: {payload.remark}" for key, payload in batch.payloads.items() if payload.remark]
    if remarks:
        shown, more = remarks[:MAX_REMARKS], len(remarks) - MAX_REMARKS
        text = ". ".join(shown) + (f". And {more} more" if more > 0 else "")
        log.warning("Batch %s has fixtures with odd values. %s", batch.fetched.number, text)


def _write_changes(
    conn: psycopg.Connection[Any],
    saved: Iterable[int],
    batch: _BatchInWork,
    stored: Mapping[int, StoredPayload],
    states: Mapping[int, StoredState],
) -> int:
    """The changes of the saved fixtures into the ledger, with the hours since the end of the match; their number."""
    rows: list[dict[str, Any]] = []
    for fixture_id in saved:
        if fixture_id not in stored:
            continue
        ended = states[fixture_id].state.ended_at
        hours = round((batch.at - ended).total_seconds() / 3600, 2) if ended else None
        for change in stored[fixture_id].changes:
            entry = {"section": change.section, "field": change.field, "before": change.before, "after": change.after}
            rows.append({"fixture_id": fixture_id, "hours": hours, **entry})
    if rows:
        conn.execute(sql("load/ledger"), {"changes": Jsonb(rows), "now": batch.at, **batch.context.sql_params()})
    return len(rows)


def _add_fixtures(conn: psycopg.Connection[Any], ids: list[int], batch: _BatchInWork) -> None:
    """Rows for fixtures that no index has listed so far."""
    if ids:
        conn.execute(sql("load/add_fixtures"), {"ids": ids, "now": batch.at, **batch.context.sql_params()})


def _write_fixtures(
    conn: psycopg.Connection[Any],
    decisions: Iterable[FixtureDecision],
    payloads: Mapping[int, Payload],
    fields: Mapping[int, FixtureFields],
    batch: _BatchInWork,
) -> None:
    """The state of each fixture, and of the saved ones the fields of their payloads."""
    rows = []
    for decision in decisions:
        row = decision.row(batch.context.recheck, batch.context.guard, batch.at)
        if decision.changed:
            payload = payloads[decision.fixture_id]
            row["sent"], row["counts"] = fields[decision.fixture_id].columns(), payload.summary.counts
            row["unreadable"] = payload.summary.unreadable
        if decision.outcome in (SAVED, UNCHANGED) and (returned := payloads.get(decision.fixture_id)):
            # What is stored now is what came, so the same answer is known by its hashes from now on.
            row["as_sent"], row["in_order"] = _bytea(returned.as_sent), _bytea(returned.in_order)
        rows.append(row)
    params = {"decisions": JsonBytes(msgspec.json.encode(rows)), "now": batch.at, "includes": list(batch.includes)}
    conn.execute(sql("load/fixtures"), {**params, **batch.context.sql_params()})


def _bytea(value: bytes | None) -> str | None:
    return None if value is None else "\\x" + value.hex()


def _write_decisions(
    conn: psycopg.Connection[Any],
    decisions: list[FixtureDecision],
    payloads: Mapping[int, Payload],
    fields: Mapping[int, FixtureFields],
    batch: _BatchInWork,
) -> None:
    """The fixtures, their marks in the plan, and the counters of chunk and run."""
    params = batch.context.sql_params()
    _write_fixtures(conn, [each for each in decisions if not each.stale], payloads, fields, batch)
    marks = Jsonb([{"fixture_id": each.fixture_id, "outcome": each.outcome, "error": each.error} for each in decisions])
    ids = [each.fixture_id for each in decisions]
    marked = conn.execute(
        sql("load/mark_plan"), {"decisions": marks, "ids": ids, "now": batch.now, **params}
    ).fetchall()
    conn.execute(sql("load/progress"), {**_progress(marked), **params})


def _progress(marked: Iterable[tuple[str, str, int]]) -> dict[str, int]:
    """How far the counters of a chunk move. ``marked``: number of fixtures by their outcome before and after. A fixture
    that is requested a second time leaves the counter that it was in."""
    moved: Counter[str] = Counter()
    for before, after, number in marked:
        moved[before] -= number
        moved[after] += number
    return {
        "processed": -moved["PENDING"],
        "saved": moved["SAVED"],
        "unchanged": moved["UNCHANGED"] + moved["HELD"],
        "failed": moved["FAILED"],
        "missing": moved["MISSING"],
    }


def _find_unfit(conn: psycopg.Connection[Any], batch: _BatchInWork) -> dict[int, str]:
    """Fixtures that cannot be stored even cleaned, with the reason; each is tried alone and rolled back."""
    found: dict[int, str] = {}
    for fixture_id, payload in batch.payloads.items():
        try:
            with conn.transaction(force_rollback=True):
                _add_fixtures(conn, [fixture_id], batch)
                saved = [SavedFixture(fixture_id, payload, True, batch.includes)]
                fields = write_payloads(conn, saved, batch.at, encoded={}, typed=batch.context.typed)
                decision = FixtureDecision(fixture_id, SAVED, "COLLECTED", FixtureState(), changed=True)
                _write_fixtures(conn, [decision], {fixture_id: payload}, fields, batch)
        except ROW_ERRORS as error:
            found[fixture_id] = f"cannot be stored: {str(error).splitlines()[0]}"
    return found
