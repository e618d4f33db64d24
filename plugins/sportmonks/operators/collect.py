"""Collect: the due fixtures of one season, streamed into the warehouse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sportmonks import checkpoints
from sportmonks.batches import make_batches
from sportmonks.catalog import Season
from sportmonks.chunks import Chunk, plan_chunks
from sportmonks.errors import BudgetWait, LostLease, SportmonksError
from sportmonks.operators.base import LeagueOperator, airflow_errors, execution_of

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

    from sportmonks.api.calls import CallRecord
    from sportmonks.hooks.sportmonks import SportmonksHook
    from sportmonks.load.stream import Progress
    from sportmonks.monitoring import ETLLogger, PerformanceTracker
    from sportmonks.params import RunParams

# Another owner that has not shown life for so long is taken for dead. A batch takes a few seconds.
LEASE_PATIENCE_S = 120.0
LEASE_RETRY_S = 15.0


class CollectOperator(LeagueOperator):
    """One chunk: what is left of its plan, batch after batch, each one transaction.

    Resumes after a kill, a clear or a wait for the budget from what the warehouse says is done. ``season``: the
    manifest's, as a plain structure.
    """

    def __init__(self, *, season: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.season = season

    def execute(self, context: Context) -> dict[str, Any]:
        """Figures of this try: batches and fixtures by outcome."""
        with airflow_errors():
            return self._collect(context)

    def _collect(self, context: Context) -> dict[str, Any]:
        season = Season(**self.season)
        params, execution_id = self._params(context), execution_of(context)
        connect = self._connector()
        names = {"execution_id": execution_id, "league_id": self._league.id, "season_id": season.id}
        with connect() as conn, self._watch(connect, names, params) as (logger, tracker):
            fence = self._take_lease(conn, names, context)
            hook = self._hook(on_call=lambda call: _count_call(tracker, call))
            try:
                self._index_if_unread(conn, hook, season, execution_id, params)
                figures = self._run(conn, connect, hook, names, fence, params, logger, tracker)
            except BudgetWait as wait:
                self._release(conn, names, fence)
                logger.info("Waiting for the budget", until=wait.until.isoformat(), entity=wait.entity)
                self._wait_for_budget(wait)
            except LostLease as error:
                logger.warning(str(error))
                raise
            except BaseException as error:
                self._note_failure(conn, names, fence, error, logger)
                raise
            conn.execute(_sql("plan/collected"), {**names, "error": None})
            self._release(conn, names, fence)
            return figures

    @contextmanager
    def _watch(
        self, connect: Callable[[], Any], names: Mapping[str, Any], params: RunParams
    ) -> Iterator[tuple[ETLLogger, PerformanceTracker]]:
        from sportmonks.monitoring import ETLLogger, ETLMonitor, PerformanceTracker

        chunk_id = f"{names['league_id']}_{names['season_id']}"
        with (
            ETLMonitor(connect) as monitor,
            PerformanceTracker(
                monitor, names["execution_id"], {"chunk_id": chunk_id}, track_performance=params.track_performance
            ) as tracker,
        ):
            yield ETLLogger("COLLECT", monitor, execution_id=names["execution_id"], chunk_id=chunk_id), tracker

    def _take_lease(self, conn: psycopg.Connection[Any], names: Mapping[str, Any], context: Context) -> int:
        from sportmonks.load.plan import take_lease

        ti, now = context["ti"], datetime.now(UTC)
        owner = f"{ti.dag_id}/{ti.run_id}/{ti.task_id}"
        fence = take_lease(conn, {"owner": owner, **names}, patience=LEASE_PATIENCE_S, now=now)
        if fence is None:
            self._wait_for_lease(conn, names, now)
        assert fence is not None
        return fence

    def _wait_for_lease(self, conn: psycopg.Connection[Any], names: Mapping[str, Any], now: datetime) -> None:
        from datetime import timedelta

        row = conn.execute(
            "SELECT owner FROM etl.chunks WHERE league_id = %(league_id)s AND season_id = %(season_id)s", names
        ).fetchone()
        if row is None:
            # Never indexed: the row that the lease lives in comes first.
            conn.execute(
                "INSERT INTO etl.chunks (league_id, season_id) VALUES (%(league_id)s, %(season_id)s)"
                " ON CONFLICT DO NOTHING",
                names,
            )
        until = now + timedelta(seconds=LEASE_RETRY_S if row else 1)
        reason = f"{row[0]} is collecting this chunk" if row else "the chunk is new"
        self._wait_for_budget(BudgetWait(f"Not now: {reason}.", entity="Chunk", seconds=LEASE_RETRY_S, until=until))

    def _index_if_unread(
        self,
        conn: psycopg.Connection[Any],
        hook: SportmonksHook,
        season: Season,
        execution_id: str,
        params: RunParams,
    ) -> None:
        """``discover`` could not read this season's index: read it here and plan the season."""
        from sportmonks.load.plan import add_to_plan, read_facts
        from sportmonks.operators.discover import read_index

        row = conn.execute(
            "SELECT c.planned, k.indexed_at < e.started_at OR k.indexed_at IS NULL"
            " FROM etl.execution_chunks c JOIN etl.etl_executions e USING (execution_id)"
            " LEFT JOIN etl.chunks k USING (league_id, season_id)"
            " WHERE c.execution_id = %s AND c.season_id = %s",
            (execution_id, season.id),
        ).fetchone()
        if row is None or row[0] > 0 or not row[1]:
            return
        read_index(conn, hook, (self._league.id, self._league.name), season)
        facts = read_facts(conn, self._league.id, (season.id,))
        chunks, _ = plan_chunks(facts, params.narrowing, self._dials.refetch, self._dials.guard, datetime.now(UTC))
        add_to_plan(conn, execution_id, self._league.id, chunks or [Chunk(season.id, ())])

    def _run(
        self,
        conn: psycopg.Connection[Any],
        connect: Callable[[], Any],
        hook: SportmonksHook,
        names: Mapping[str, Any],
        fence: int,
        params: RunParams,
        logger: ETLLogger,
        tracker: PerformanceTracker,
    ) -> dict[str, Any]:
        from sportmonks.load.plan import pending
        from sportmonks.load.store import LoadContext
        from sportmonks.load.stream import Stream

        left = pending(conn, names["execution_id"], names["season_id"])
        dials = self._dials.collect
        mark = self._begin_checkpoint(names, params, len(left))
        client = hook.client  # made here, on the main thread, where Airflow answers for connections
        stream = Stream(
            lambda batch: client.fixtures_multi(batch.fixture_ids, params.includes, urgent=batch.urgent),
            connect,
            LoadContext(
                execution_id=names["execution_id"],
                league_id=names["league_id"],
                season_id=names["season_id"],
                fence=fence,
                includes=client.allowed_includes("Fixture", params.includes),
                refetch=self._dials.refetch,
                guard=self._dials.guard,
            ),
            fetchers=dials.fetchers,
            writers=dials.writers,
            in_flight=dials.in_flight,
        )
        figures: dict[str, Any] = {"batches": 0, "planned": len(left)}
        for progress in stream.run(make_batches(left, params.batch_size)):
            figures["batches"] += 1
            for outcome, count in progress.stored.outcomes.items():
                figures[outcome.lower()] = figures.get(outcome.lower(), 0) + count
            mark = self._move_checkpoint(mark, progress)
            conn.execute(_sql("plan/heartbeat"), {**names, "fence": fence})
            self._tell(progress, mark, logger, tracker)
        self._finish_checkpoint(mark)
        return figures

    def _begin_checkpoint(self, names: Mapping[str, Any], params: RunParams, left: int) -> checkpoints.Checkpoint:
        """The chunk's checkpoint for this run; one of the same run goes on counting."""
        store = checkpoints.VariableStore()
        found = checkpoints.read(store, names["league_id"], names["season_id"])
        now = datetime.now(UTC).isoformat()
        if found and found.execution_id == names["execution_id"] and not found.finished:
            self.log.info("Resuming after %d of %d fixtures", found.done, found.total)
            return _replace(found, total=found.done + left, updated_at=now)
        mark = checkpoints.Checkpoint(
            league_id=names["league_id"],
            season_id=names["season_id"],
            execution_id=names["execution_id"],
            started_at=(
                found.started_at if found and found.forced and params.narrowing.force and not found.finished else now
            ),
            updated_at=now,
            total=left,
            forced=params.narrowing.force,
        )
        if left:
            checkpoints.write(store, mark)
        return mark

    def _move_checkpoint(self, mark: checkpoints.Checkpoint, progress: Progress) -> checkpoints.Checkpoint:
        moved = _replace(
            mark,
            batches=mark.batches + 1,
            done=mark.done + progress.stored.processed,
            updated_at=datetime.now(UTC).isoformat(),
        )
        checkpoints.write(checkpoints.VariableStore(), moved)
        return moved

    def _finish_checkpoint(self, mark: checkpoints.Checkpoint) -> None:
        if mark.total:
            checkpoints.write(checkpoints.VariableStore(), _replace(mark, finished=True))

    def _tell(
        self,
        progress: Progress,
        mark: checkpoints.Checkpoint,
        logger: ETLLogger,
        tracker: PerformanceTracker,
    ) -> None:
        stored, fetched = progress.stored, progress.fetched
        logger.info(
            f"Batch {stored.number}: {mark.done} of {mark.total} fixtures",
            duration_ms=round((fetched.seconds + progress.write_seconds) * 1000, 1),
            fetch_s=round(fetched.seconds, 3),
            write_s=round(progress.write_seconds, 3),
            bytes=fetched.bytes,
            changes=stored.changes,
            **{key.lower(): value for key, value in stored.outcomes.items()},
        )
        tracker.record_duration("fetch_batch", fetched.seconds * 1000)
        tracker.record_duration("write_batch", progress.write_seconds * 1000)
        for fixture_id, problem in stored.problems.items():
            logger.warning(problem, fixture_id=fixture_id)

    def _note_failure(
        self,
        conn: psycopg.Connection[Any],
        names: Mapping[str, Any],
        fence: int,
        error: BaseException,
        logger: ETLLogger,
    ) -> None:
        """The reason into the chunk's row; what is stored stays, a clear or retry goes on from there."""
        reason = str(error) if isinstance(error, SportmonksError) else f"{type(error).__name__}: {error}"
        logger.error("Collection stopped", reason=reason[:1000])
        try:
            conn.execute(_sql("plan/collected"), {**names, "error": reason[:1000]})
            self._release(conn, names, fence)
        except Exception as lost:
            logging.getLogger(__name__).warning("The reason could not be stored: %s", type(lost).__name__)

    def _release(self, conn: psycopg.Connection[Any], names: Mapping[str, Any], fence: int) -> None:
        conn.execute(_sql("plan/release_lease"), {**names, "fence": fence})


def _count_call(tracker: PerformanceTracker, call: CallRecord) -> None:
    tracker.record_duration("api_call", call.seconds * 1000, entity=call.entity)
    if call.status != 200:
        tracker.increment_counter(f"api_call.status_{call.status or 'none'}")


def _sql(name: str) -> str:
    from sportmonks.db import sql

    return sql(name)


def _replace(mark: checkpoints.Checkpoint, **changes: Any) -> checkpoints.Checkpoint:
    import msgspec

    return msgspec.structs.replace(mark, **changes)
