"""Collects the due fixtures of one season into the warehouse; the warehouse decides what is left after any stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sportmonks.collect.context import RunContext
from sportmonks.collect.discover import read_index
from sportmonks.collect.lease import Lease, hold_lease
from sportmonks.collect.missing import classify_missing
from sportmonks.collect.pipeline import Pipeline, StoredBatch, store
from sportmonks.collect.plan_store import add_to_plan, known_fixtures, marked, missed_once, pending, skip_read
from sportmonks.collect.progress import ChunkProgress
from sportmonks.collect.response_store import orphaned
from sportmonks.config.manifest import Season
from sportmonks.errors import TransientApiError
from sportmonks.load.batch import LoadContext
from sportmonks.load.season import suspect_unlike
from sportmonks.planning.batches import Batch, make_batches
from sportmonks.planning.chunks import Chunk, PlannedFixture, plan_chunks
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.session import Session

if TYPE_CHECKING:
    import psycopg

OnBatch = Callable[[StoredBatch, ChunkProgress], None]


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What one attempt at a chunk did: batches stored, fixtures that were left in its plan, fixtures by outcome
    (lower case), and missing fixtures by explanation."""

    batches: int
    planned: int
    outcomes: dict[str, int]
    explained: dict[str, int]


def collect(run: RunContext, season: Season, owner: str, on_batch: OnBatch | None = None) -> ChunkResult:
    """Collect what is left of a season's plan, batch after batch, each in one transaction.

    ``owner`` names the task and is the same in all its attempts. ``on_batch`` is called after each committed batch.
    Raises BudgetWait when the call budget is used up or another live task holds the chunk, LostLeaseError when another
    task took it over. After any error, fetched batches are stored and the chunk is free for the next attempt.
    """
    with run.session() as session, hold_lease(run, session, season, owner) as lease:
        run.counted_client(season)
        index_error = session.run(lambda conn: _plan_if_unread(run, conn, season))
        result = _ChunkCollection(run, session, season, lease, on_batch).run()
        if index_error is not None:
            raise index_error
        session.execute(sql("plan/collected"), {**run.sql_params(season), "error": None})
        return result


def _plan_if_unread(run: RunContext, conn: psycopg.Connection[Any], season: Season) -> TransientApiError | None:
    """Read the index of a season for which ``discover`` failed, and plan the season anew.

    If the index fails again, the error is returned, so that the fixtures planned already are collected before it is
    raised.
    """
    row = conn.execute(sql("plan/unread"), run.sql_params(season)).fetchone()
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


class _ChunkCollection:
    """One attempt at a chunk whose lease is held."""

    def __init__(
        self, run: RunContext, session: Session, season: Season, lease: Lease, on_batch: OnBatch | None
    ) -> None:
        self._run, self._session, self._season, self._lease = run, session, season, lease
        self._on_batch = on_batch
        self._context = LoadContext(
            execution_id=run.execution_id,
            league_id=run.league.id,
            season_id=season.id,
            fence=lease.fence,
            includes=run.client().allowed_includes("Fixture", run.params.includes),
            usual_includes=run.client().allowed_includes("Fixture", run.league.includes),
            recheck=run.settings.recheck,
            guard=run.settings.guard,
            typed=run.settings.collect.typed_rows,
            verify=run.params.run_filter.force,
            clock=run.clock,
        )
        self._batches = 0
        self._outcomes: Counter[str] = Counter()
        self._explained: dict[str, int] = {}
        self._anew: dict[int, frozenset[str]] = {}

    def run(self) -> ChunkResult:
        run, session, season_id, context = self._run, self._session, self._season.id, self._context
        self._store_orphaned()
        session.run(lambda conn: skip_read(conn, context.sql_params(), context.includes, run.clock()))
        left = session.run(lambda conn: pending(conn, run.execution_id, season_id))
        done_before = session.run(lambda conn: marked(conn, run.execution_id, season_id))
        self._progress = ChunkProgress(run, self._season, done_before, len(left))
        self._request(left)
        self._explained = classify_missing(run, session, self._season)
        if not self._explained.get("outside_plan"):
            self._request_missing_again()
        session.run(lambda conn: suspect_unlike(conn, context, self._anew))
        self._progress.finish()
        return ChunkResult(self._batches, len(left), dict(+self._outcomes), self._explained)

    def _request_missing_again(self) -> None:
        """The API omits fixtures now and then, so those that were in no response are requested once more."""
        again = self._session.run(lambda conn: missed_once(conn, self._run.execution_id, self._season.id))
        try:
            self._request(again, repeated=True)
        except TransientApiError as error:
            self._run.log.warning(
                "%d missing fixtures stay due, because they could not be requested again: %s", len(again), error
            )

    def _request(self, fixtures: Sequence[PlannedFixture], *, repeated: bool = False) -> None:
        """Fetch and store these fixtures. ``repeated``: they were counted as missing before in this attempt."""
        if not fixtures:
            return
        for done in self._pipeline().run(make_batches(fixtures, self._run.params.batch_size)):
            self._batches += 1
            self._anew |= done.stored.anew
            if repeated:
                self._count_repeated(done)
            else:
                self._progress.advance(done.stored.processed)
            self._outcomes.update({outcome.lower(): count for outcome, count in done.stored.outcomes.items()})
            self._lease.heartbeat()
            if self._on_batch:
                self._on_batch(done, self._progress)

    def _count_repeated(self, done: StoredBatch) -> None:
        """Fixtures that came with the second request were missing intermittently."""
        found = done.stored.processed - done.stored.outcomes.get("MISSING", 0)
        self._outcomes["missing"] -= done.stored.processed
        self._explained["intermittent"] = self._explained.get("intermittent", 0) + found
        self._explained["unexplained"] = self._explained.get("unexplained", 0) - found

    def _store_orphaned(self) -> None:
        """Load what a killed task had fetched, as of the time of its call and for its execution."""
        context = self._context
        # One at a time, each in a piece of work of its own that the session can repeat.
        while found := self._session.run(lambda conn: next(orphaned(conn, context.league_id, context.season_id), None)):
            execution_id, fetched = found
            # What it lacks follows from the includes that it was requested with, not from those of this run.
            includes = context.includes if fetched.includes is None else fetched.includes
            its_own = replace(context, execution_id=execution_id, includes=includes)
            done = store(self._session, fetched, its_own)
            self._run.log.info("Stored a batch that a killed task had fetched: %d fixtures", done.stored.processed)

    def _api_works(self) -> bool:
        """Whether the API returns a fixture of the season that came well before: if so, it is not down, and fixtures
        that do not come are to blame themselves. False when no fixture has come before."""
        run = self._run
        with Session(run.connect) as session:
            known = session.execute(sql("plan/known_good"), self._context.sql_params())
        if not known:
            return False
        try:
            # With the includes of the batches: in an outage of heavy requests a light one proves nothing.
            return bool(run.client().fixtures_multi((known[0][0],), run.params.includes).rows)
        except TransientApiError as error:
            run.log.warning("Fixture %d, which came before, does not come either: %s", known[0][0], error)
            return False

    def _pipeline(self) -> Pipeline:
        client, params, settings = self._run.client(), self._run.params, self._run.settings.collect

        def fetch(batch: Batch) -> Any:
            return client.fixtures_multi(batch.fixture_ids, params.includes, urgent=batch.urgent)

        return Pipeline(
            fetch,
            self._run.connect,
            self._context,
            api_works=self._api_works,
            fetchers=settings.fetchers,
            writers=settings.writers,
            in_flight=settings.in_flight,
            idle=self._lease.heartbeat,
            idle_seconds=self._lease.heartbeat_seconds,
        )
