"""Collect: the due fixtures of one season."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sportmonks.config.manifest import Season
from sportmonks.errors import BudgetWait, LostLease
from sportmonks.operators.base import LeagueOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sportmonks.api.calls import CallRecord
    from sportmonks.collect.context import RunContext


class CollectOperator(LeagueOperator):
    """One chunk, batch after batch; see ``sportmonks.collect.collect``. ``season``: the manifest's, plain."""

    def __init__(self, *, season: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.season = season

    def execute(self, context: Context) -> dict[str, Any]:
        """Figures of this try."""
        from sportmonks.collect.collect import collect
        from sportmonks.collect.telemetry import CollectionWatch

        season, ti = Season(**self.season), context["ti"]
        owner = f"{ti.dag_id}/{ti.run_id}/{ti.task_id}"
        calls: list[CallRecord] = []
        with self._airflow_terms():
            run = self._make_run(context, on_call=calls.append)
            chunk_id, detailed = f"{run.league.id}_{season.id}", run.params.track_performance
            with CollectionWatch(run.connect, run.execution_id, chunk_id, calls, track_performance=detailed) as watch:
                self._mark(run, season, "reopen_chunk")
                try:
                    return asdict(collect(run, season, owner, watch.on_batch))
                except (BudgetWait, LostLease):
                    raise  # nothing has stopped: it goes on later, or somebody else is at it
                except Exception as error:
                    watch.stopped(error)
                    self._mark(run, season, "stop_chunk")
                    raise
        raise AssertionError("unreachable: a wait or an error leaves above")

    def _mark(self, run: RunContext, season: Season, name: str) -> None:
        """Say that the season begins again, or stops, in a run that had ended. Never worth the data."""
        from sportmonks.warehouse.connection import sql

        try:
            with run.connect() as conn:
                conn.execute(sql(f"tasks/{name}"), run.sql_params(season))
        except Exception as error:
            self.log.warning("%s could not be noted: %s", name, type(error).__name__)
