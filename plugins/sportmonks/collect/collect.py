"""The due fixtures of one season, streamed into the warehouse; resumes from what the warehouse says is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sportmonks.collect.context import RunContext
from sportmonks.collect.discover import read_index
from sportmonks.collect.missing import classify_missing
from sportmonks.collect.pipeline import StoredBatch, Stream, store
from sportmonks.collect.plan_store import (
    add_to_plan,
    known_fixtures,
    marked,
    missed_once,
    pending,
    skip_read,
    take_lease,
)
from sportmonks.collect.progress import ChunkProgress
from sportmonks.collect.response_store import left_behind
from sportmonks.config.manifest import Season
from sportmonks.errors import BudgetWait, LostLease, SportmonksError, TransientApiError
from sportmonks.load.batch import LoadContext
from sportmonks.planning.batches import Batch, make_batches
from sportmonks.planning.chunks import Chunk, PlannedFixture, plan_chunks
from sportmonks.warehouse.connection import sql
from sportmonks.warehouse.session import Session

if TYPE_CHECKING:
    import psycopg

OnBatch = Callable[[StoredBatch, ChunkProgress], None]


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """Figures of this try: batches, and fixtures by outcome (lower-case). ``explained``: why fixtures were missing."""

    batches: int
    planned: int
    outcomes: dict[str, int]
    explained: dict[str, int]


def collect(run: RunContext, season: Season, owner: str, on_batch: OnBatch | None = None) -> ChunkResult:
    """Collect what is left of a season's plan, batch after batch, each one transaction.

    ``owner`` names the task; it takes over from its own dead predecessor at once. Raises BudgetWait when the calls
    are used up or another living owner has the chunk, LostLease when somebody took it over. Whatever it raises,
    fetched batches are stored, and the chunk is free for the next try.
    """
    with Session(run.connect) as session:
        fence = _take_lease(run, session, season, owner)
        lease = {**run.sql_params(season), "fence": fence}
        try:
            fault = session.run(lambda conn: _plan_if_unread(run, conn, season))
            result = _collect(run, session, season, fence, on_batch)
            if fault is not None:
                raise fault
        except LostLease:
            raise
        except BudgetWait:
            _release(session, lease)
            raise
        except BaseException as error:
            _note_failure(run, session, lease, error)
            raise
        session.execute(sql("plan/collected"), {**run.sql_params(season), "error": None})
        _release(session, lease)
        return result


def _take_lease(run: RunContext, session: Session, season: Season, owner: str) -> int:
    names = {"owner": owner, **run.sql_params(season)}

    def take(conn: psycopg.Connection[Any]) -> int | None:
        fence = take_lease(conn, names, patience=run.lease_patience)
        if fence is None:
            # Never indexed: the row that the lease lives in comes first.
            conn.execute(sql("plan/ensure_chunk"), {**names, "season": season.name, "league": run.league.name})
            fence = take_lease(conn, names, patience=run.lease_patience)
        return fence

    fence = session.run(take)
    if fence is None:
        raise BudgetWait(
            f"Another task is collecting {run.league.name} {season.name} just now.",
            entity="Chunk",
            seconds=run.lease_retry,
            until=datetime.now(UTC) + timedelta(seconds=run.lease_retry),
        )
    return fence


def _release(session: Session, lease: dict[str, Any]) -> None:
    session.execute(sql("plan/release_lease"), lease)


def _note_failure(run: RunContext, session: Session, lease: dict[str, Any], error: BaseException) -> None:
    """The reason into the chunk's row; what is stored stays, a clear or retry goes on from there."""
    reason = str(error) if isinstance(error, SportmonksError) else f"{type(error).__name__}: {error}"
    try:
        session.execute(sql("plan/collected"), {**lease, "error": reason[:1000]})
        _release(session, lease)
    except Exception as lost:
        run.log.warning("The reason of the failure could not be stored: %s", type(lost).__name__)


def _plan_if_unread(run: RunContext, conn: psycopg.Connection[Any], season: Season) -> TransientApiError | None:
    """``discover`` could not read this season's index: read it here and plan the season anew. What is planned already
    is collected all the same; the fault is returned for afterwards."""
    row = conn.execute(sql("plan/unread"), {**run.sql_params(season), "now": run.clock()}).fetchone()
    if row is None or not row[0]:
        return None
    try:
        read_index(run, conn, run.client(), season)
    except TransientApiError as error:
        return error
    rows = known_fixtures(run, conn, (season.id,))
    chunks, _ = plan_chunks(rows, run.params.run_filter, run.settings.recheck, run.settings.guard, run.clock())
    add_to_plan(conn, run.execution_id, run.league.id, chunks or [Chunk(season.id, ())])
    return None


def _collect(run: RunContext, session: Session, season: Season, fence: int, on_batch: OnBatch | None) -> ChunkResult:
    context = _context(run, season, fence)
    _store_left_behind(run, session, context)
    session.run(lambda conn: skip_read(conn, context.sql_params(), context.includes, run.clock()))
    left = session.run(lambda conn: pending(conn, run.execution_id, season.id))
    done_before = session.run(lambda conn: marked(conn, run.execution_id, season.id))
    progress = ChunkProgress(run, season, done_before, len(left))
    outcomes: Counter[str] = Counter()
    batches = 0

    def beat() -> None:
        session.execute(sql("plan/heartbeat"), {**run.sql_params(season), "fence": fence})

    def ask(fixtures: list[PlannedFixture]) -> Iterator[StoredBatch]:
        if fixtures:
            yield from _stream(run, context, beat).run(make_batches(fixtures, run.params.batch_size))

    for done in ask(left):
        batches += 1
        outcomes.update(_counts(done))
        progress.move(done.stored.processed)
        beat()
        if on_batch:
            on_batch(done, progress)
    explained = classify_missing(run, session, season)
    # The API forgets fixtures for a moment: what has come in no answer is asked for once more before the run ends.
    again = (
        []
        if explained.get("outside_plan")
        else session.run(lambda conn: missed_once(conn, run.execution_id, season.id))
    )
    try:
        for done in ask(again):
            batches += 1
            found = done.stored.processed - done.stored.outcomes.get("MISSING", 0)
            outcomes["missing"] -= done.stored.processed
            outcomes.update(_counts(done))
            explained["intermittent"] = explained.get("intermittent", 0) + found
            explained["unexplained"] = explained.get("unexplained", 0) - found
            beat()
            if on_batch:
                on_batch(done, progress)
    except TransientApiError as error:
        run.log.warning("%d missing fixtures stay due, they could not be asked for again: %s", len(again), error)
    progress.finish()
    return ChunkResult(batches, len(left), dict(+outcomes), explained)


def _counts(done: StoredBatch) -> dict[str, int]:
    return {outcome.lower(): count for outcome, count in done.stored.outcomes.items()}


def _store_left_behind(run: RunContext, session: Session, context: LoadContext) -> None:
    """What a predecessor fetched and was killed before storing, as of the time of its call and under its run."""
    for execution_id, fetched in _left_behind(session, context):
        done = store(session, fetched, replace(context, execution_id=execution_id))
        run.log.info("Stored a batch that a killed task had fetched: %d fixtures", done.stored.processed)


def _left_behind(session: Session, context: LoadContext) -> Iterator[tuple[str, Any]]:
    while found := session.run(lambda conn: next(left_behind(conn, context.league_id, context.season_id), None)):
        yield found


def _context(run: RunContext, season: Season, fence: int) -> LoadContext:
    return LoadContext(
        execution_id=run.execution_id,
        league_id=run.league.id,
        season_id=season.id,
        fence=fence,
        includes=run.client().allowed_includes("Fixture", run.params.includes),
        recheck=run.settings.recheck,
        guard=run.settings.guard,
        clock=run.clock,
    )


def _stream(run: RunContext, context: LoadContext, idle: Callable[[], None]) -> Stream:
    client, settings = run.client(), run.settings.collect

    def fetch(batch: Batch) -> Any:
        return client.fixtures_multi(batch.fixture_ids, run.params.includes, urgent=batch.urgent)

    return Stream(
        fetch,
        run.connect,
        context,
        fetchers=settings.fetchers,
        writers=settings.writers,
        in_flight=settings.in_flight,
        idle=idle,
        idle_seconds=run.lease_patience / 6,
    )
