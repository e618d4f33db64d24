"""The plan of a run in the warehouse: written once, marked off with the data, and read again after an interruption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sportmonks.api.includes import ForbiddenIncludes
from sportmonks.collect.context import RunContext
from sportmonks.planning.chunks import Chunk, PlannedFixture
from sportmonks.planning.estimate import CostEstimate
from sportmonks.planning.recheck import FixtureState, next_due, without_times_ahead
from sportmonks.warehouse.queries import sql


def known_fixtures(
    run: RunContext, conn: psycopg.Connection[Any], seasons: Sequence[int] = ()
) -> Iterator[tuple[int, int, FixtureState]]:
    """``read_states`` for the includes that are usual for the league, and those that this run requests beyond them."""
    usual = _allowed(run, conn, run.league.includes)
    requested = _allowed(run, conn, run.params.includes)
    beyond = [name for name in requested if not any(one == name or one.startswith(f"{name}.") for one in usual)]
    return read_states(conn, run.league.id, seasons, (*usual, *beyond))


def _allowed(run: RunContext, conn: psycopg.Connection[Any], includes: Sequence[str]) -> tuple[str, ...]:
    """Without the includes that the API has refused before."""
    refused = conn.execute(sql("budget/forbidden_known"), {"connection": run.connection_name}).fetchall()
    return ForbiddenIncludes(refused).allowed("Fixture", includes)


def reschedule(run: RunContext, conn: psycopg.Connection[Any]) -> None:
    """Bring the stored times of the next reads up to date with the settings and includes that the league has now.

    What is due counts from these times (``football.fixture_schedule``): for plans, the page, the terminal and alerts.
    """
    now, settings = run.clock(), run.settings
    includes = _allowed(run, conn, run.league.includes)
    parameters = {"league_id": run.league.id, "seasons": None, "includes": list(includes)}
    changed = []
    for _, fixture_id, at, reason, *state in conn.execute(sql("plan/fixtures"), parameters).fetchall():
        known = FixtureState(*state)
        certain = without_times_ahead(known, now)
        found = next_due(certain, settings.recheck, settings.guard, now)
        # One that is due already stays due since then. What counts as read long ago, because nobody knows when it was,
        # is due since now.
        new_at = found and (found.at if certain is known else max(found.at, now))
        new = at if at and at <= now and new_at and new_at <= now else new_at
        new_reason = found and found.reason
        if (new, new_reason) != (at, reason):
            times = {"was": at and at.isoformat(), "next_due_at": new and new.isoformat()}
            changed.append({"fixture_id": fixture_id, "due_reason": new_reason, **times})
    if changed:
        conn.execute(sql("plan/reschedule"), {"rows": Jsonb(changed)})


def read_states(
    conn: psycopg.Connection[Any], league_id: int, seasons: Sequence[int] = (), includes: Sequence[str] = ()
) -> Iterator[tuple[int, int, FixtureState]]:
    """(season_id, fixture_id, state) of every known fixture of a league, or of some of its ``seasons``.

    A fixture that was last read without one of ``includes`` has ``lacks_includes`` set.
    """
    parameters = {"league_id": league_id, "seasons": list(seasons) or None, "includes": list(includes)}
    for season_id, fixture_id, _, _, *state in conn.execute(sql("plan/fixtures"), parameters).fetchall():
        yield season_id, fixture_id, FixtureState(*state)


def write_plan(
    conn: psycopg.Connection[Any],
    execution_id: str,
    league_id: int,
    chunks: Sequence[Chunk],
    estimate: CostEstimate,
    *,
    now: datetime,
    unread: Sequence[int] = (),
    dry_run: bool = False,
) -> None:
    """Store a plan and its estimate in one transaction; a dry run stores the estimate only.

    ``unread``: seasons whose index is still to be read.
    """
    rows = [
        {"season_id": c.season_id, "position": place, "priority": c.priority, "planned": len(c.fixtures)}
        for place, c in enumerate(chunks, start=1)
    ]
    names = {"execution_id": execution_id, "league_id": league_id, "now": now}
    with conn.transaction():
        _lock_chunks(conn, execution_id, league_id, chunks)
        conn.execute(sql("plan/clear"), names)
        if not dry_run:
            conn.execute(sql("plan/chunks"), {"chunks": Jsonb(rows), "unread": list(unread), **names})
            _copy_fixtures(conn, execution_id, league_id, chunks)
        conn.execute(sql("plan/finalize"), {"chunks": Jsonb(rows), "estimate": Jsonb(asdict(estimate)), **names})


def add_to_plan(conn: psycopg.Connection[Any], execution_id: str, league_id: int, chunks: Sequence[Chunk]) -> None:
    """Add the chunk of a season whose index was read by its own task to the plan of the run."""
    with conn.transaction():
        _lock_chunks(conn, execution_id, league_id, chunks)
        chunk = chunks[0]
        conn.execute(
            sql("plan/update_chunk"),
            {
                "planned": len(chunk.fixtures),
                "priority": chunk.priority,
                "execution_id": execution_id,
                "season_id": chunk.season_id,
            },
        )
        _copy_fixtures(conn, execution_id, league_id, chunks)


def _lock_chunks(conn: psycopg.Connection[Any], execution_id: str, league_id: int, chunks: Sequence[Chunk]) -> None:
    """Lock what a plan changes in the order of all writers, so that none waits for another in a circle."""
    seasons = [chunk.season_id for chunk in chunks]
    conn.execute(sql("plan/lock_chunks"), {"execution_id": execution_id, "league_id": league_id, "seasons": seasons})


def _copy_fixtures(conn: psycopg.Connection[Any], execution_id: str, league_id: int, chunks: Sequence[Chunk]) -> None:
    """Copy planned fixtures; one that this run has read already is read again only when it is due, not when forced."""
    done = {(row[0], row[1]) for row in conn.execute(sql("plan/planned_fixtures"), {"execution_id": execution_id})}
    again = [
        {"execution_id": execution_id, "season_id": chunk.season_id, "fixture_id": fixture.fixture_id}
        for chunk in chunks
        for fixture in chunk.fixtures
        if (chunk.season_id, fixture.fixture_id) in done and fixture.reason != "forced"
    ]
    with conn.cursor() as cursor:
        cursor.executemany(sql("plan/again"), again)
        with cursor.copy(sql("plan/copy_fixtures")) as copy:
            for chunk in chunks:
                for place, due in enumerate(chunk.fixtures, start=1):
                    if (chunk.season_id, due.fixture_id) not in done:
                        name = (execution_id, league_id, chunk.season_id, due.fixture_id)
                        copy.write_row((*name, place, due.reason, due.priority, due.urgent))
    if again:
        for query in ("plan/recount_chunks", "plan/recount_run"):
            conn.execute(sql(query), {"execution_id": execution_id})


def skip_read(conn: psycopg.Connection[Any], names: Mapping[str, Any], includes: Sequence[str], now: datetime) -> None:
    """Mark off the fixtures that another run has read since this plan was made."""
    conn.execute(sql("plan/skip_read"), {**names, "includes": list(includes), "now": now})


def marked(conn: psycopg.Connection[Any], execution_id: str, season_id: int) -> int:
    """How many fixtures of a chunk's plan are marked off."""
    row = conn.execute(sql("plan/marked"), {"execution_id": execution_id, "season_id": season_id}).fetchone()
    return row[0] if row else 0


def pending(conn: psycopg.Connection[Any], execution_id: str, season_id: int) -> list[PlannedFixture]:
    """The fixtures of a chunk's plan that are not marked off, in plan order."""
    rows = conn.execute(sql("plan/pending"), {"execution_id": execution_id, "season_id": season_id}).fetchall()
    return [PlannedFixture(*row) for row in rows]


def missed_once(conn: psycopg.Connection[Any], execution_id: str, season_id: int) -> list[PlannedFixture]:
    """Fixtures that this run requested and the API did not return, for the first time in a row."""
    rows = conn.execute(sql("plan/missed_once"), {"execution_id": execution_id, "season_id": season_id}).fetchall()
    return [PlannedFixture(*row) for row in rows]
