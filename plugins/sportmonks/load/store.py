"""One batch, one transaction: raw payloads, typed tables, ledger, bookkeeping, plan and counters.

Either all of a batch is in the warehouse or nothing of it; what is written does not depend on the order of batches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from sportmonks.catalog import Guard, Refetch
from sportmonks.db import sql
from sportmonks.errors import LostLease
from sportmonks.load.clean import clean
from sportmonks.load.fingerprint import fingerprint
from sportmonks.load.glance import Glance, glance
from sportmonks.load.ledger import changes
from sportmonks.load.verdict import SAVED, Prior, Verdict, judge_answer, judge_failure, judge_missing
from sportmonks.refetch import Facts

log = logging.getLogger(__name__)

_TYPED = ("participants", "scores", "events", "lineups", "lineups_details", "statistics", "periods")


@dataclass(frozen=True, slots=True)
class LoadContext:
    """Where a batch belongs and by which rules it is judged."""

    execution_id: str
    league_id: int
    season_id: int
    fence: int
    includes: tuple[str, ...]
    refetch: Refetch = field(default_factory=Refetch)
    guard: Guard = field(default_factory=Guard)
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to one batch: payloads by fixture id, ids not returned, ids that cannot be read."""

    number: int
    asked: tuple[int, ...]
    rows: Mapping[int, bytes | msgspec.Raw]
    missing: tuple[int, ...] = ()
    poisoned: Mapping[int, str] = field(default_factory=dict)
    calls: int = 1
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch, fixtures by outcome."""

    number: int
    outcomes: Mapping[str, int]
    changes: int
    problems: Mapping[int, str]

    @property
    def processed(self) -> int:
        return sum(self.outcomes.values())


@dataclass(slots=True)
class _Payload:
    """A fixture's payload on its way in."""

    raw: bytes
    content_hash: bytes
    seen: Glance
    cleaned: bytes | None = None


def store_batch(conn: psycopg.Connection[Any], fetched: Fetched, context: LoadContext) -> Stored:
    """Write one fetched batch. Raises LostLease when another owner has the chunk, psycopg errors as they are.

    A value that a typed column cannot take is tried again cleaned; a fixture that still does not fit is recorded
    as failed, and the others are stored.
    """
    moment = context.clock()
    payloads, unreadable = _read(fetched)
    try:
        return _write(conn, fetched, context, payloads, unreadable, moment)
    except psycopg.DataError as error:
        log.warning("Batch %s holds values that do not fit (%s); storing it cleaned", fetched.number, error.sqlstate)
    for payload in payloads.values():
        payload.cleaned = _cleaned(payload.raw)
    try:
        return _write(conn, fetched, context, payloads, unreadable, moment)
    except psycopg.DataError:
        unreadable |= _unfit(conn, context, payloads, moment)
    fitting = {key: value for key, value in payloads.items() if key not in unreadable}
    return _write(conn, fetched, context, fitting, unreadable, moment)


def _read(fetched: Fetched) -> tuple[dict[int, _Payload], dict[int, str]]:
    payloads: dict[int, _Payload] = {}
    unreadable = dict(fetched.poisoned)
    for fixture_id in sorted(fetched.rows):
        raw = bytes(fetched.rows[fixture_id])
        try:
            # PostgreSQL's text holds no NUL; nothing else of the payload is touched.
            raw = _without_nul(raw) if b"\\u0000" in raw else raw
            payloads[fixture_id] = _seen(raw)
        except msgspec.DecodeError as error:
            unreadable[fixture_id] = f"not a fixture: {error}"
    return payloads, unreadable


def _seen(raw: bytes) -> _Payload:
    try:
        return _Payload(raw, fingerprint(raw), glance(raw))
    except msgspec.ValidationError:
        cleaned = _cleaned(raw)
        return _Payload(raw, fingerprint(raw), glance(cleaned), cleaned)


def _cleaned(raw: bytes) -> bytes:
    return msgspec.json.encode(clean(msgspec.json.decode(raw, type=dict[str, Any])))


def _without_nul(raw: bytes) -> bytes:
    def strip(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("\x00", "")
        if isinstance(value, list):
            return [strip(item) for item in value]
        if isinstance(value, dict):
            return {strip(key): strip(item) for key, item in value.items()}
        return value

    return msgspec.json.encode(strip(msgspec.json.decode(raw)))


def _write(
    conn: psycopg.Connection[Any],
    fetched: Fetched,
    context: LoadContext,
    payloads: Mapping[int, _Payload],
    unreadable: Mapping[int, str],
    now: datetime,
) -> Stored:
    with conn.transaction():
        _hold_lease(conn, context)
        prior = _prior(conn, fetched.asked)
        old = _stored_payloads(
            conn,
            [
                key
                for key, p in payloads.items()
                if key in prior and prior[key].content_hash not in (None, p.content_hash)
            ],
        )
        verdicts = _judge(fetched, payloads, unreadable, prior, old, context, now)
        saved = [v.fixture_id for v in verdicts if v.outcome == SAVED]
        _copy(conn, ((key, payloads[key], key in old) for key in saved), now)
        if saved:
            _load_typed(conn, context)
        ledger = _write_ledger(conn, saved, payloads, old, prior, context, now)
        rows = [verdict.row(context.refetch, context.guard, now) for verdict in verdicts]
        names = {
            "execution_id": context.execution_id,
            "league_id": context.league_id,
            "season_id": context.season_id,
        }
        conn.execute(sql("load/verdicts"), {"verdicts": Jsonb(rows), "now": now})
        conn.execute(sql("load/mark_plan"), {"verdicts": Jsonb(rows), "now": now, **names})
        outcomes: dict[str, int] = {}
        for verdict in verdicts:
            outcomes[verdict.outcome] = outcomes.get(verdict.outcome, 0) + 1
        conn.execute(
            sql("load/progress"),
            {
                "processed": len(verdicts),
                "saved": outcomes.get("SAVED", 0),
                "unchanged": outcomes.get("UNCHANGED", 0) + outcomes.get("HELD", 0),
                "failed": outcomes.get("FAILED", 0),
                "missing": outcomes.get("MISSING", 0),
                "calls": fetched.calls,
                "bytes": fetched.bytes,
                **names,
            },
        )
    problems = {v.fixture_id: v.error for v in verdicts if v.error}
    return Stored(fetched.number, outcomes, ledger, problems)


def _hold_lease(conn: psycopg.Connection[Any], context: LoadContext) -> None:
    """A shared lock lets the chunk's own writers work side by side and makes a new owner wait for them."""
    row = conn.execute(
        sql("load/hold_lease"), {"league_id": context.league_id, "season_id": context.season_id}
    ).fetchone()
    if row is None or row[0] != context.fence:
        raise LostLease(
            f"Chunk {context.league_id}_{context.season_id} was taken over by another task; this one stops.",
            mend="Nothing to do: the newer task goes on from the last stored batch.",
        )


def _prior(conn: psycopg.Connection[Any], ids: Iterable[int]) -> dict[int, Prior]:
    found = {}
    for row in conn.execute(sql("load/prior"), {"ids": list(ids)}).fetchall():
        (
            key,
            state,
            start,
            end,
            status,
            fetched_at,
            unchanged,
            held,
            held_hash,
            missing,
            failed,
            content_hash,
        ) = row
        facts = Facts(
            state_id=state,
            starting_at=start,
            ended_at=end,
            status=status,
            last_fetched_at=fetched_at,
            unchanged_reads=unchanged,
            held_reads=held,
            missing_reads=missing,
            failed_reads=failed,
        )
        found[key] = Prior(facts, content_hash, held_hash)
    return found


def _stored_payloads(conn: psycopg.Connection[Any], ids: list[int]) -> dict[int, bytes]:
    if not ids:
        return {}
    rows = conn.execute(
        "SELECT fixture_id, payload::text FROM raw.fixtures WHERE fixture_id = ANY (%s)", (ids,)
    ).fetchall()
    return {key: text.encode() for key, text in rows}


def _judge(
    fetched: Fetched,
    payloads: Mapping[int, _Payload],
    unreadable: Mapping[int, str],
    prior: Mapping[int, Prior],
    old: Mapping[int, bytes],
    context: LoadContext,
    now: datetime,
) -> list[Verdict]:
    verdicts = []
    for fixture_id in fetched.asked:
        before = prior.get(fixture_id, Prior(Facts()))
        if fixture_id in unreadable:
            verdicts.append(judge_failure(fixture_id, before, unreadable[fixture_id], now))
        elif payload := payloads.get(fixture_id):
            counts = glance(old[fixture_id]).counts if fixture_id in old else None
            verdicts.append(
                judge_answer(fixture_id, before, payload.seen, payload.content_hash, counts, context.guard, now)
            )
        else:
            verdicts.append(judge_missing(fixture_id, before, now))
    return verdicts


def _copy(conn: psycopg.Connection[Any], rows: Iterable[tuple[int, _Payload, bool]], now: datetime) -> None:
    conn.execute(sql("load/incoming"))
    columns = "fixture_id, payload, cleaned, content_hash, known, collected_at"
    with (
        conn.cursor() as cursor,
        cursor.copy(f"COPY incoming ({columns}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.set_types(["int8", "jsonb", "jsonb", "bytea", "bool", "timestamptz"])
        for key, payload, known in rows:
            cleaned = _AsJsonb(payload.cleaned) if payload.cleaned is not None else None
            copy.write_row((key, _AsJsonb(payload.raw), cleaned, payload.content_hash, known, now))


class _AsJsonb(Jsonb):
    """JSON that is bytes already: handed to PostgreSQL as it is."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw, dumps=_as_is)


def _as_is(raw: bytes) -> bytes:
    return raw


def _load_typed(conn: psycopg.Connection[Any], context: LoadContext) -> None:
    conn.execute(sql("load/raw"), {"includes": list(context.includes)})
    conn.execute("\n".join(sql(f"load/{name}") for name in _TYPED))
    conn.execute(sql("load/fixtures"), {"league_id": context.league_id, "season_id": context.season_id})


def _write_ledger(
    conn: psycopg.Connection[Any],
    saved: Iterable[int],
    payloads: Mapping[int, _Payload],
    old: Mapping[int, bytes],
    prior: Mapping[int, Prior],
    context: LoadContext,
    now: datetime,
) -> int:
    rows: list[dict[str, Any]] = []
    for fixture_id in saved:
        if fixture_id not in old:
            continue
        before = msgspec.json.decode(old[fixture_id], type=dict[str, Any])
        after = msgspec.json.decode(payloads[fixture_id].raw, type=dict[str, Any])
        ended = prior[fixture_id].facts.ended_at
        hours = round((now - ended).total_seconds() / 3600, 2) if ended else None
        rows.extend(
            {
                "fixture_id": fixture_id,
                "section": c.section,
                "field": c.field,
                "before": c.before,
                "after": c.after,
                "hours": hours,
            }
            for c in changes(before, after)
        )
    if rows:
        conn.execute(
            sql("load/ledger"),
            {
                "changes": Jsonb(rows),
                "now": now,
                "execution_id": context.execution_id,
                "league_id": context.league_id,
                "season_id": context.season_id,
            },
        )
    return len(rows)


def _unfit(
    conn: psycopg.Connection[Any], context: LoadContext, payloads: Mapping[int, _Payload], now: datetime
) -> dict[int, str]:
    """Which fixtures cannot be stored even cleaned, each tried alone and rolled back."""
    found: dict[int, str] = {}
    for fixture_id, payload in payloads.items():
        try:
            with conn.transaction(force_rollback=True):
                _copy(conn, [(fixture_id, payload, True)], now)
                _load_typed(conn, context)
        except psycopg.DataError as error:
            found[fixture_id] = f"cannot be stored: {str(error).splitlines()[0]}"
    return found
