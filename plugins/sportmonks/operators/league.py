"""The tasks of a league's DAG: discover, plan, collect (one per season), alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.providers.standard.operators.branch import BranchMixIn

from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League, Season
from sportmonks.errors import BudgetWait, LostLeaseError
from sportmonks.operators.base import ApiOperator, WarehouseOperator, execution_of
from sportmonks.planning.backfill import run_parameters
from sportmonks.planning.run_params import read_params

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sportmonks.api.calls import CallRecord
    from sportmonks.collect.context import RunContext


class LeagueOperator(ApiOperator):
    """Base of the tasks of a league run. ``league`` and ``settings``: the manifest's, as plain dictionaries."""

    def __init__(self, *, league: Mapping[str, Any], settings: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.league = league
        self.settings = settings

    def run_context(self, context: Context, on_call: Callable[[CallRecord], None] | None = None) -> RunContext:
        """The run that this task belongs to. ``on_call`` is called after every call to the API.

        Raises ConfigurationError for a value of the trigger form that is not allowed.
        """
        from sportmonks.collect.checkpoints import VariableStore
        from sportmonks.collect.context import RunContext

        league = msgspec.convert(dict(self.league), League)
        settings = msgspec.convert(dict(self.settings), TaskSettings)
        given = run_parameters(context["params"], context["dag_run"], league.schedule)
        execution = execution_of(context)
        hook = self.hook(
            settings.budget, max_batch=settings.collect.max_batch_size, on_call=on_call, execution_id=execution
        )
        return RunContext(
            execution_id=execution,
            league=league,
            settings=settings,
            params=read_params(given, league, settings),
            connect=self.connector(),
            client=lambda: hook.client,
            checkpoints=VariableStore(),
            connection_name=self.api_conn_id,
            log=self.log,
        )


class DiscoverOperator(LeagueOperator):
    """Reads the season indexes of the league into the warehouse; see ``sportmonks.collect.discover``. A warehouse that
    lacks the catalog gets it first; see ``sportmonks.reference.first``."""

    def perform(self, context: Context) -> dict[str, Any]:
        """``seasons``: figures by season id; ``failed``: seasons whose index the collecting task has to read itself;
        ``suspected``: seasons whose index is not believed yet."""
        from sportmonks.collect.discover import discover
        from sportmonks.reference.first import read_missing_lists

        run = self.run_context(context)
        read_missing_lists(
            run.connect,
            run.counted_client(),
            run.league.id,
            sweep=run.settings.sweep,
            execution_id=run.execution_id,
            log=self.log,
        )
        found = discover(run)
        return {
            "seasons": {str(key): figures for key, figures in found.seasons.items()},
            "failed": sorted(found.failed),
            "suspected": sorted(found.suspected),
        }


class PlanOperator(LeagueOperator, BranchMixIn):
    """Writes the plan with its estimate and goes on with the groups of its seasons; see ``sportmonks.collect.plan``."""

    inherits_from_skipmixin = True

    def perform(self, context: Context) -> dict[str, Any]:
        """The estimate: fixtures and calls."""
        from sportmonks.collect.plan import plan

        discovered = context["ti"].xcom_pull(task_ids="discover") or {}
        run = self.run_context(context)
        planned = plan(run, [int(season_id) for season_id in discovered.get("failed", ())])
        groups = {season.id: season.group for season in run.league.seasons}
        self.do_branch(context, [f"{groups[key]}.open" for key in planned.seasons if key in groups])
        return asdict(planned.estimate)


class CollectOperator(LeagueOperator):
    """Collects the planned fixtures of one season, batch after batch; see ``sportmonks.collect.collect``.

    ``season``: the manifest's, as a plain dictionary.
    """

    def __init__(self, *, season: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.season = season

    def perform(self, context: Context) -> dict[str, Any]:
        """The figures of this try."""
        from sportmonks.collect.collect import collect
        from sportmonks.collect.telemetry import ChunkTelemetry
        from sportmonks.warehouse.sqlstate import is_away

        season, ti = Season(**self.season), context["ti"]
        owner = f"{ti.dag_id}/{ti.run_id}/{ti.task_id}"
        calls: list[CallRecord] = []
        run = self.run_context(context, on_call=calls.append)
        chunk_id, detailed = f"{run.league.id}_{season.id}", run.params.track_performance
        with ChunkTelemetry(run.connect, run.execution_id, chunk_id, calls, track_performance=detailed) as watch:
            self._mark(run, season, "reopen_chunk")
            try:
                return asdict(collect(run, season, owner, watch.on_batch))
            except (BudgetWait, LostLeaseError):
                # The chunk has not stopped: it goes on after the wait, or another task has taken it over.
                raise
            except Exception as error:
                if is_away(error):
                    # The task waits for the warehouse and goes on then.
                    raise
                watch.stopped(error)
                self._mark(run, season, "stop_chunk")
                raise

    def _mark(self, run: RunContext, season: Season, name: str) -> None:
        """Record that the season starts again or stops in a run that had ended. A failure here is logged only, because
        the data is worth more than the record."""
        from sportmonks.warehouse.queries import sql

        try:
            with run.connect() as conn:
                conn.execute(sql(f"tasks/{name}"), run.sql_params(season))
        except Exception as error:
            self.log.warning("%s could not be recorded: %s", name, type(error).__name__)


class ExecutionAlertsOperator(WarehouseOperator):
    """Opens and resolves the alerts of this DAG right after its run and sends the new ones; the DAG etl_watch does the
    same for everything else. ``thresholds``: the ``alerts`` section of the catalog."""

    def __init__(self, *, thresholds: Mapping[str, float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.thresholds = thresholds

    def perform(self, context: Context) -> dict[str, int]:
        """``open``: alerts that are open for this DAG; ``notified``: alerts that were sent."""
        from sportmonks.alerts import dispatch
        from sportmonks.alerts.rules import ETLAlertManager
        from sportmonks.config.catalog import Thresholds

        with self.connector()() as conn:
            manager = ETLAlertManager(conn, Thresholds.from_mapping(self.thresholds))
            found = manager.check_execution_alerts(execution_of(context))
            notified = dispatch.notify_new(conn)
        for alert in found:
            self.log.warning("%s: %s %s", alert.kind, alert.message, alert.hint)
        return {"open": len(found), "notified": notified}
