"""The due fixtures of one season, streamed into the warehouse; resumes from what the warehouse says is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sportmonks.batches import Batch, make_batches
from sportmonks.catalog import Season
from sportmonks.chunks import Chunk, plan_chunks
from sportmonks.collecting.discover import read_index
from sportmonks.collecting.explain import explain_missing
from sportmonks.collecting.progress import ChunkProgress
from sportmonks.collecting.run import Run
from sportmonks.db import sql
from sportmonks.errors import BudgetWait, LostLease, SportmonksError
from sportmonks.load.plan import add_to_plan, pending, read_facts, take_lease
from sportmonks.load.store import LoadContext
from sportmonks.load.stream import Progress, Stream

if TYPE_CHECKING:
    import psycopg

# Another owner that has not shown life for so long is taken for dead. A batch takes a few seconds.
LEASE_PATIENCE_S = 120.0
LEASE_RETRY_S = 15.0

OnBatch = Callable[[Progress, ChunkProgress], None]


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """Figures of this try: batches, and fixtures by outcome (lower-case)."""

    batches: int
    planned: int
    outcomes: dict[str, int]
    explained: dict[str, int]


def collect(run: Run, season: Season, owner: str, on_batch: OnBatch | None = None) -> ChunkResult:
    """Collect what is left of a season's plan, batch after batch, each one transaction.

    ``owner`` names the task; it takes over from its own dead predecessor at once. Raises BudgetWait when the calls
    are used up or another living owner has the chunk, LostLease when somebody took it over. Whatever it raises,
    fetched batches are stored, and the chunk is free for the next try.
    """
    names = run.names(season)
    with run.connect() as conn:
        fence = _take_lease(run, conn, season, owner)
        lease = {**names, "fence": fence}
        try:
            _plan_if_unread(run, conn, season)
            result = _stream(run, conn, season, fence, on_batch)
        except LostLease:
            raise
        except BudgetWait:
            _release(conn, lease)
            raise
        except BaseException as error:
            _note_failure(run, conn, lease, error)
            raise
        conn.execute(sql("plan/collected"), {**names, "error": None})
        _release(conn, lease)
        return result


def _take_lease(run: Run, conn: psycopg.Connection[Any], season: Season, owner: str) -> int:
    names, now = run.names(season), run.clock()
    fence = take_lease(conn, {"owner": owner, **names}, patience=LEASE_PATIENCE_S, now=now)
    if fence is None:
        # Never indexed: the row that the lease lives in comes first.
        conn.execute(sql("plan/ensure_chunk"), {**names, "season": season.name, "league": run.league.name})
        fence = take_lease(conn, {"owner": owner, **names}, patience=LEASE_PATIENCE_S, now=now)
    if fence is None:
        raise BudgetWait(
            f"Another task is collecting {run.league.name} {season.name} just now.",
            entity="Chunk",
            seconds=LEASE_RETRY_S,
            until=now + timedelta(seconds=LEASE_RETRY_S),
        )
    return fence


def _release(conn: psycopg.Connection[Any], lease: dict[str, Any]) -> None:
    conn.execute(sql("plan/release_lease"), lease)


def _note_failure(run: Run, conn: psycopg.Connection[Any], lease: dict[str, Any], error: BaseException) -> None:
    """The reason into the chunk's row; what is stored stays, a clear or retry goes on from there."""
    reason = str(error) if isinstance(error, SportmonksError) else f"{type(error).__name__}: {error}"
    try:
        conn.execute(sql("plan/collected"), {**lease, "error": reason[:1000]})
        _release(conn, lease)
    except Exception as lost:
        run.log.warning("The reason of the failure could not be stored: %s", type(lost).__name__)


def _plan_if_unread(run: Run, conn: psycopg.Connection[Any], season: Season) -> None:
    """``discover`` could not read this season's index: read it here and plan the season."""
    row = conn.execute(sql("plan/unread"), run.names(season)).fetchone()
    if row is None or not row[0]:
        return
    read_index(run, conn, run.client(), season)
    facts = read_facts(conn, run.league.id, (season.id,))
    chunks, _ = plan_chunks(facts, run.params.narrowing, run.dials.refetch, run.dials.guard, run.clock())
    add_to_plan(conn, run.execution_id, run.league.id, chunks or [Chunk(season.id, ())])


def _stream(
    run: Run, conn: psycopg.Connection[Any], season: Season, fence: int, on_batch: OnBatch | None
) -> ChunkResult:
    left = pending(conn, run.execution_id, season.id)
    progress = ChunkProgress(run, season, len(left))
    outcomes: dict[str, int] = {}
    batches = 0
    for done in _batches(run, season, fence).run(make_batches(left, run.params.batch_size)) if left else ():
        batches += 1
        for outcome, count in done.stored.outcomes.items():
            outcomes[outcome.lower()] = outcomes.get(outcome.lower(), 0) + count
        progress.move(done.stored.processed)
        conn.execute(sql("plan/heartbeat"), {**run.names(season), "fence": fence})
        if on_batch:
            on_batch(done, progress)
    explained = explain_missing(run, conn, season) if outcomes.get("missing") else {}
    progress.finish()
    return ChunkResult(batches, len(left), outcomes, explained)


def _batches(run: Run, season: Season, fence: int) -> Stream:
    client, collect_dials = run.client(), run.dials.collect
    includes = run.params.includes

    def fetch(batch: Batch) -> Any:
        return client.fixtures_multi(batch.fixture_ids, includes, urgent=batch.urgent)

    context = LoadContext(
        execution_id=run.execution_id,
        league_id=run.league.id,
        season_id=season.id,
        fence=fence,
        includes=client.allowed_includes("Fixture", includes),
        refetch=run.dials.refetch,
        guard=run.dials.guard,
        clock=run.clock,
    )
    return Stream(
        fetch,
        run.connect,
        context,
        fetchers=collect_dials.fetchers,
        writers=collect_dials.writers,
        in_flight=collect_dials.in_flight,
    )
