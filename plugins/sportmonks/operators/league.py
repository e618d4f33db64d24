"""The tasks of a league's DAG: start, collect (one per season), alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.providers.standard.operators.branch import BranchMixIn
from airflow.providers.standard.utils.skipmixin import XCOM_SKIPMIXIN_KEY, XCOM_SKIPMIXIN_SKIPPED

from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League, Season
from sportmonks.errors import BudgetWait, LostLeaseError
from sportmonks.operators.asset_events import report_season
from sportmonks.operators.base import ApiOperator, WarehouseOperator, execution_of, origin_of
from sportmonks.operators.lineage import LineageMixin, endpoint, operator_lineage, season_written
from sportmonks.planning.backfill import run_parameters
from sportmonks.planning.run_params import read_params

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

    from sportmonks.api.calls import CallRecord
    from sportmonks.collect.context import RunContext
    from sportmonks.collect.pipeline import StoredBatch
    from sportmonks.collect.progress import ChunkProgress


# The tasks of a season's group; those of seasons without anything due are skipped together.
SEASON_TASKS = ("collect", "close")


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
            task_session=self.warehouse_session(),
            client=lambda: hook.client,
            checkpoints=VariableStore(),
            connection_name=self.api_conn_id,
            log=self.log,
        )


class StartOperator(LeagueOperator, BranchMixIn):
    """Starts the execution, reads the season indexes, writes the plan, and goes on with the groups of its seasons.

    One task for the three, because a task costs Airflow more than these steps cost the run. A warehouse that lacks the
    catalog gets it first; see ``sportmonks.reference.first``, ``sportmonks.collect.discover`` and
    ``sportmonks.collect.plan``.
    """

    inherits_from_skipmixin = True

    def perform(self, context: Context) -> dict[str, Any]:
        """The estimate (fixtures, calls ...); ``indexes``: figures of the indexes that were read, by season id;
        ``index_failed``: seasons whose index the collecting task has to read itself; ``index_suspected``: seasons whose
        index is not believed yet."""
        from sportmonks.collect.discover import discover
        from sportmonks.collect.plan import plan
        from sportmonks.reference.first import read_missing_lists
        from sportmonks.warehouse.queries import sql

        if (seasons := self._planned_before(context)) is not None:
            self.log.info("This run was planned before the upgrade of the package; its plan stays as it is.")
            self._follow(context, seasons)
            return {"seasons": seasons}
        self._start(context)
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
        planned = plan(run, sorted(found.failed))
        if not planned.seasons:
            self.warehouse_session().execute(sql("plan/finish_again"), run.sql_params())
        self._follow(context, planned.seasons)
        return {
            **asdict(planned.estimate),
            "indexes": {str(key): figures for key, figures in found.seasons.items()},
            "index_failed": sorted(found.failed),
            "index_suspected": sorted(found.suspected),
        }

    def _follow(self, context: Context, seasons: Iterable[int]) -> None:
        """Go on with the groups of these seasons, and skip the others."""
        groups = {season["id"]: season["group"] for season in self.league["seasons"]}
        followed = [f"{groups[key]}.{task}" for key in seasons if key in groups for task in SEASON_TASKS]
        self.do_branch(context, [*followed, "finish_execution"])

    def _planned_before(self, context: Context) -> list[int] | None:
        """The seasons in the plan of a run that was planned by version 0.1 and has something left; None for all others.

        In such a run, cleared or still under way, this task is new, so it runs although the plan stands. It must not
        plan again then: what is not due any more would be lost from the plan. In such a run Airflow holds which groups
        the task ``plan`` chose, which no longer exists.
        """
        from sportmonks.warehouse.migrations import require_schema
        from sportmonks.warehouse.queries import sql

        if context["ti"].xcom_pull(task_ids="plan", key=XCOM_SKIPMIXIN_KEY) is None:
            return None
        self.warehouse_session().run(require_schema)
        rows = self.warehouse_session().execute(sql("plan/planned_seasons"), {"execution_id": execution_of(context)})
        return list(rows[0][0]) if rows else None

    def _start(self, context: Context) -> None:
        """Record that the execution starts, or starts again after a clear, before its parameters are checked: a run
        that is refused shows too. Raises ConfigurationError for a database that this version or account cannot use."""
        from sportmonks.warehouse.migrations import require_schema
        from sportmonks.warehouse.queries import sql

        run = context["dag_run"]
        config = run_parameters(context["params"], run, self.league.get("schedule"))
        session = self.warehouse_session()
        session.run(require_schema)
        session.execute(
            sql("plan/start_execution"),
            {
                "execution_id": execution_of(context),
                "config": msgspec.json.encode(config).decode(),
                "dag_id": run.dag_id,
                "run_id": run.run_id,
            },
        )
        session.execute(
            sql("plan/started_by"),
            {
                "execution_id": execution_of(context),
                "league_id": self.league["id"],
                **origin_of(context),
            },
        )


class CollectOperator(LineageMixin, LeagueOperator):
    """Collects the planned fixtures of one season, batch after batch, and checks what is stored; see
    ``sportmonks.collect.collect``.

    ``season``: the manifest's, as a plain dictionary. ``close_task``: id of the task after this one that closes the
    chunk when this one does not come so far; it is skipped otherwise.
    """

    inherits_from_skipmixin = True

    def __init__(self, *, season: Mapping[str, Any], close_task: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.season = season
        self.close_task = close_task

    def perform(self, context: Context) -> dict[str, Any]:
        """The figures of this try."""
        from sportmonks.collect.chunk_record import check_chunk, open_chunk, season_news, stop_chunk
        from sportmonks.collect.collect import collect
        from sportmonks.collect.telemetry import ChunkTelemetry
        from sportmonks.warehouse.migrations import require_schema
        from sportmonks.warehouse.sqlstate import is_away

        season, ti = Season(**self.season), context["ti"]
        owner = f"{ti.dag_id}/{ti.run_id}/{ti.task_id}"
        calls: list[CallRecord] = []
        run = self._season_run = self.run_context(context, on_call=calls.append)
        chunk_id, detailed = f"{run.league.id}_{season.id}", run.params.track_performance
        with ChunkTelemetry(run.connect, run.execution_id, chunk_id, calls, track_performance=detailed) as watch:

            def on_batch(done: StoredBatch, progress: ChunkProgress) -> None:
                watch.on_batch(done, progress)
                _count_batch(done, run.league.id, season.id)

            # A task that waited while the package was replaced may be the first one of the new version.
            self.warehouse_session().run(require_schema)
            open_chunk(run, season)
            try:
                self._base_url = run.client().base_url
                figures = asdict(collect(run, season, owner, on_batch))
                saved, changed = season_news(run, season)
                check_chunk(run, season)
                report_season(context, self, season.id, saved, changed)
                if self.close_task:
                    # The chunk is closed. A task that finds nothing to do would cost as much as any other.
                    ti.xcom_push(XCOM_SKIPMIXIN_KEY, {XCOM_SKIPMIXIN_SKIPPED: [self.close_task]})
                return figures
            except (BudgetWait, LostLeaseError):
                # The chunk has not stopped: it goes on after the wait, or another task has taken it over.
                raise
            except Exception as error:
                if is_away(error):
                    # The task waits for the warehouse and goes on then.
                    raise
                watch.stopped(error)
                stop_chunk(run, season)
                raise

    def lineage(self, conn: psycopg.Connection[Any]) -> Any:
        """From the fixtures' endpoint into the tables of fixtures."""
        if (base_url := getattr(self, "_base_url", None)) is None:
            return None
        written = season_written(conn, self._season_run.execution_id, int(self.season["id"]))
        return operator_lineage(conn, [endpoint(base_url, "football/fixtures/multi")], written)


def _count_batch(done: StoredBatch, league_id: int, season_id: int) -> None:
    """A stored batch among Airflow's own metrics."""
    from sportmonks.monitoring import airflow_stats

    tags = {"league_id": league_id, "season_id": season_id}
    for outcome, fixtures in done.stored.outcomes.items():
        airflow_stats.count(f"fixtures_{outcome.lower()}", fixtures, **tags)
    airflow_stats.count("changes", done.stored.changes, **tags)
    airflow_stats.timing("batch", done.fetched.seconds + done.write_seconds, **tags)


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
