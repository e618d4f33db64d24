"""Collect: the due fixtures of one season."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sportmonks.catalog import Season
from sportmonks.errors import BudgetWait
from sportmonks.operators.base import LeagueOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sportmonks.api.calls import CallRecord
    from sportmonks.collecting.progress import ChunkProgress
    from sportmonks.collecting.run import Run
    from sportmonks.load.stream import Progress
    from sportmonks.monitoring import ETLLogger, PerformanceTracker


class CollectOperator(LeagueOperator):
    """One chunk, batch after batch; see ``sportmonks.collecting.collect``. ``season``: the manifest's, plain."""

    def __init__(self, *, season: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.season = season

    def execute(self, context: Context) -> dict[str, Any]:
        """Figures of this try."""
        from sportmonks.collecting.collect import collect
        from sportmonks.monitoring import ETLLogger, ETLMonitor, PerformanceTracker

        season, ti = Season(**self.season), context["ti"]
        owner = f"{ti.dag_id}/{ti.run_id}/{ti.task_id}"
        calls: list[CallRecord] = []
        with self._airflow_terms():
            run = self._make_run(context, on_call=calls.append)
            chunk_id = f"{run.league.id}_{season.id}"
            with (
                ETLMonitor(run.connect) as monitor,
                PerformanceTracker(
                    monitor,
                    run.execution_id,
                    {"chunk_id": chunk_id},
                    track_performance=run.params.track_performance,
                ) as tracker,
            ):
                logger = ETLLogger("COLLECT", monitor, execution_id=run.execution_id, chunk_id=chunk_id)

                def on_batch(done: Progress, progress: ChunkProgress) -> None:
                    _count_calls(calls, tracker)
                    _tell(done, progress, logger, tracker)

                self._mark(run, season, "reopen_chunk")
                try:
                    return asdict(collect(run, season, owner, on_batch))
                except BudgetWait:
                    raise
                except Exception as error:
                    logger.error("Collection stopped", reason=str(error)[:1000])
                    self._mark(run, season, "stop_chunk")
                    raise
                finally:
                    _count_calls(calls, tracker)
        raise AssertionError("unreachable: a wait or an error leaves above")

    def _mark(self, run: Run, season: Season, name: str) -> None:
        """Say that the season begins again, or stops, in a run that had ended. Never worth the data."""
        from sportmonks.db import sql

        try:
            with run.connect() as conn:
                conn.execute(sql(f"tasks/{name}"), run.names(season))
        except Exception as error:
            self.log.warning("%s could not be noted: %s", name, type(error).__name__)


def _count_calls(calls: list[CallRecord], tracker: PerformanceTracker) -> None:
    while calls:
        call = calls.pop()
        tracker.record_duration("api_call", call.seconds * 1000, entity=call.entity)
        if call.status != 200:
            tracker.increment_counter(f"api_call.status_{call.status or 'none'}")


def _tell(done: Progress, progress: ChunkProgress, logger: ETLLogger, tracker: PerformanceTracker) -> None:
    stored, fetched = done.stored, done.fetched
    logger.info(
        f"Batch {stored.number}: {progress.mark.done} of {progress.mark.total} fixtures",
        duration_ms=round((fetched.seconds + done.write_seconds) * 1000, 1),
        fetch_s=round(fetched.seconds, 3),
        write_s=round(done.write_seconds, 3),
        bytes=fetched.bytes,
        changes=stored.changes,
        **{key.lower(): value for key, value in stored.outcomes.items()},
    )
    tracker.record_duration("fetch_batch", fetched.seconds * 1000)
    tracker.record_duration("write_batch", done.write_seconds * 1000)
    for fixture_id, problem in stored.problems.items():
        logger.warning(problem, fixture_id=fixture_id)
