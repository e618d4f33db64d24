"""Plan: which fixtures a run reads, in which order and at what cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sportmonks.collect import checkpoints
from sportmonks.collect.context import RunContext
from sportmonks.collect.plan_store import known_fixtures, reschedule, write_plan
from sportmonks.planning.chunks import Chunk, plan_chunks
from sportmonks.planning.estimate import CostEstimate, estimate_cost
from sportmonks.planning.recheck import FixtureState
from sportmonks.warehouse.queries import sql

if TYPE_CHECKING:
    import psycopg

Row = tuple[int, int, FixtureState]


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The cost estimate of a plan, and the ids of the seasons to collect (none in a dry run)."""

    estimate: CostEstimate
    seasons: tuple[int, ...]


def plan(run: RunContext, unread: Sequence[int] = ()) -> PlanResult:
    """Write the run's plan and its cost estimate into the warehouse.

    ``unread``: seasons whose index could not be read; their own tasks read it and add to the plan.
    """
    if run.params.clear_checkpoint and not run.params.dry_run:
        _clear_checkpoints(run)
    with run.session() as session:
        planned = session.run(lambda conn: _write(run, conn, unread))
    _log(run, planned.estimate)
    return planned


def _write(run: RunContext, conn: psycopg.Connection[Any], unread: Sequence[int]) -> PlanResult:
    """The plan and its estimate in one transaction; chunks that a former plan of this run started stay in the plan."""
    params = run.params
    reschedule(run, conn)
    rows: Iterable[Row] = list(known_fixtures(run, conn, params.run_filter.seasons))
    if params.run_filter.force and params.continue_from_checkpoint:
        rows = _without_done(run, list(rows))
    chunks, left_out = plan_chunks(rows, params.run_filter, run.settings.recheck, run.settings.guard, run.clock())
    estimate = _estimate(conn, run, chunks, left_out)
    planned = {chunk.season_id for chunk in chunks}
    started = [row[0] for row in conn.execute(sql("plan/unfinished"), run.sql_params())]
    empty = [Chunk(season_id, ()) for season_id in dict.fromkeys((*unread, *started)) if season_id not in planned]
    write_plan(
        conn,
        run.execution_id,
        run.league.id,
        [*chunks, *empty],
        estimate,
        now=run.clock(),
        unread=unread,
        dry_run=params.dry_run,
    )
    return PlanResult(estimate, () if params.dry_run else tuple(chunk.season_id for chunk in (*chunks, *empty)))


def _clear_checkpoints(run: RunContext) -> None:
    requested = run.params.run_filter.seasons
    for season in run.league.seasons:
        if not requested or season.id in requested:
            checkpoints.clear(run.checkpoints, run.league.id, season.id)


def _without_done(run: RunContext, rows: list[Row]) -> list[Row]:
    """Without the fixtures that an interrupted forced collection, which this run continues, has read already."""
    started: dict[int, datetime] = {}
    for season_id in {row[0] for row in rows}:
        found = checkpoints.read(run.checkpoints, run.league.id, season_id)
        if found and found.forced and not found.finished and found.is_fresh(run.clock()):
            started[season_id] = found.started_at

    def done(row: Row) -> bool:
        requested_at = row[2].last_requested_at
        return row[0] in started and requested_at is not None and requested_at >= started[row[0]]

    kept = [row for row in rows if not done(row)]
    if len(kept) < len(rows):
        run.log.info("Continuing from the checkpoint: %d fixtures are done already", len(rows) - len(kept))
    return kept


def _estimate(
    conn: psycopg.Connection[Any], run: RunContext, chunks: Sequence[Chunk], left_out: dict[str, int]
) -> CostEstimate:
    row = conn.execute(sql("plan/budget"), {"connection": run.connection_name}).fetchone()
    remaining, limit, seconds = row or (None, None, 0.0)
    return estimate_cost(
        chunks,
        names={season.id: season.name for season in run.league.seasons},
        batch_size=run.params.batch_size,
        remaining=remaining,
        call_limit=limit or run.settings.budget.default_limit,
        reserve=run.settings.budget.reserve,
        seconds_to_reset=float(seconds or 0),
        window_seconds=run.settings.budget.window_seconds,
        left_out=left_out,
    )


def _log(run: RunContext, estimate: CostEstimate) -> None:
    run.log.info(
        "%s%d fixtures due in %d seasons: %s",
        "Dry run. " if run.params.dry_run else "",
        estimate.fixtures,
        len(estimate.chunks),
        ", ".join(f"{count} {reason}" for reason, count in estimate.by_reason.items()) or "nothing",
    )
    for chunk in estimate.chunks:
        run.log.info("%(season)s: %(fixtures)d fixtures, %(calls)d calls, priority %(priority)d", chunk)
    run.log.info(
        "%s calls in about %.1f minutes; the budget allows %s now",
        estimate.calls["Fixture"],
        estimate.minutes,
        estimate.available_now,
    )
    if estimate.left_out:
        run.log.info("Left out by limits: %s", estimate.left_out)
