"""One DAG per league, one task group per season."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk import DAG, TaskGroup, get_parsing_context

from sportmonks.airflow_compat import CronTriggerTimetable
from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League, Season
from sportmonks.config.settings import API_CONN_ID, SQL_DIR
from sportmonks.operators.asset_events import league_assets
from sportmonks.operators.league import CollectOperator, ExecutionAlertsOperator, StartOperator
from sportmonks.operators.sql import WarehouseSqlOperator
from sportmonks.planning.execution_id import execution_id
from sportmonks.render.dag import DeadlineDag, run_params
from sportmonks.render.form import league_params

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

EARLIER_GROUP = "seasons_earlier"
EXECUTION = "{{ execution_id(dag_run.dag_id, dag_run.run_id, dag_run.run_after) }}"

DOC = """\
### {name}

Collects every due fixture of **{name}** (league {id}) into PostgreSQL: one task group per season.

**How it runs.** `start` (reads the season indexes and plans what is due; groups without anything due are skipped) →
per season `collect` (with the quality checks at its end) → `finish_execution` → `alerts`. `close` of a season runs only
when its `collect` did not come to its end.

**Triage.** A red group is a season that failed; the other seasons are not affected. Open its `collect` log: the last
line names the cause and what to do. `etl.execution_chunks.error_message` and the page *ETL dashboard* show the same.

| seen | meaning | do |
|---|---|---|
| `collect` deferred | no calls are left in this hour; the worker slot is free | wait; it continues by itself |
| `401`, wrong key | the connection `{api}` | correct the key, clear the run |
| `collect`: quality checks failed | stored rows do not match the plan | see `etl.check_results`, clear the group |
| alert *deadline* | not finished {deadline} minutes after queueing | see which season is not done; it continues |

**Debug.** *ETL dashboard* → Logs, chunk `{id}_<season id>`: every batch with its times. `etl.execution_fixtures` has
the result of each fixture (status, error). To narrow it down, trigger one season with `max_fixtures` 5 and `force`;
`track_performance` stores a metric per call.

**Clear.** Grid → the season's group → Clear. It continues after the last stored batch; nothing is read twice.

**Backfill.** Trigger with the form: seasons or dates. `dry_run` first shows what it costs. `force` also reads
fixtures that are not due. Airflow's own Backfill works as well: it makes a run per day of the schedule, and each of
them collects the fixtures that kick off on its day; one run of the form over the same dates needs fewer calls.
"""


def build_league_dag(league: League, settings: TaskSettings) -> DAG:
    """The DAG of a league. The same manifest always gives the same DAG; when one of its tasks starts, the part of it
    that this task needs."""
    from sportmonks.alerts.deadlines import run_deadline

    plain: dict[str, Any] = {
        "league": msgspec.to_builtins(league),
        "settings": msgspec.to_builtins(settings),
    }
    dag = DeadlineDag(
        dag_id=league.dag_id,
        dag_display_name=f"Football: {_with_country(league)}",
        description=f"Fixtures of {league.name} into PostgreSQL",
        doc_md=DOC.format(name=league.name, id=league.id, api=API_CONN_ID, deadline=league.deadline_minutes),
        schedule=daily(league.schedule),
        catchup=False,
        max_active_runs=1,
        tags=["sportmonks", "football", "league", *([league.country] if league.country else [])],
        template_searchpath=[str(SQL_DIR)],
        user_defined_macros={"execution_id": execution_id},
        deadline=[run_deadline(league.deadline_minutes, league_id=league.id)],
        default_args={
            "owner": "sportmonks",
            "retries": settings.retries,
            "retry_delay": timedelta(seconds=settings.retry_delay_seconds),
            "execution_timeout": timedelta(minutes=settings.execution_timeout_minutes),
        },
    )
    with dag:
        start = StartOperator(task_id="start", **plain)
        # Teardowns: they run whatever happened before, and a failed notification does not change the state of the run.
        finish = _sql_task("finish_execution", with_metrics="{{ params.export_metrics }}").as_teardown()
        alerts = ExecutionAlertsOperator(
            task_id="alerts", thresholds=msgspec.to_builtins(settings.alerts), retries=0
        ).as_teardown()
        finish >> alerts
        start >> finish
        earlier = earlier_seasons(league.seasons)
        wanted = _wanted_seasons(league)
        groups = [_season_group(league, season, plain) for season in wanted if season not in earlier]
        if earlier:
            with _earlier_group(league):
                groups += [_season_group(league, season, plain) for season in wanted if season in earlier]
        for collect, close in groups:
            # An edge to both, so that start skips both: as a teardown, close would run after a skipped task.
            start >> [collect, close]
            close >> finish
    # Set last: every operator created before would get a deep copy of them, which would be most of the parse time.
    dag.params = run_params(league_params(league, settings))
    return dag


def _wanted_seasons(league: League) -> tuple[Season, ...]:
    """All seasons. When a task starts that belongs to one of them, that one: most of a parse is building the groups."""
    group, dot, _ = (get_parsing_context().task_id or "").rpartition(".")
    return tuple(season for season in league.seasons if not dot or season.group == group)


def earlier_seasons(seasons: Sequence[Season]) -> tuple[Season, ...]:
    """The seasons before the current one, of ``seasons`` newest first. None is where no season is current."""
    before = itertools.dropwhile(lambda season: not season.is_current, seasons)
    return tuple(season for season in before if not season.is_current)


def _earlier_group(league: League) -> TaskGroup:
    """One group around the groups of earlier seasons. Airflow's grid sorts groups by id, the oldest season first.

    The ids of what is in it are as without it, so histories and checkpoints stay. Its own id sorts behind those of
    seasons, which begin with ``season_``, and before ``start``.
    """
    return TaskGroup(
        EARLIER_GROUP,
        group_display_name="Earlier seasons",
        prefix_group_id=False,
        tooltip=f"{league.name}: the seasons before the current one",
    )


def _with_country(league: League) -> str:
    """The name with the country before it, because many countries have a Premier League."""
    country = league.country
    return f"{country} {league.name}" if country and country not in league.name else league.name


def daily(cron: str | None) -> CronTriggerTimetable | None:
    """A schedule whose first run is at its next time. With a plain cron string, a new DAG would run at once for a time
    in the past."""
    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0)) if cron else None


def _season_group(league: League, season: Season, plain: dict[str, Any]) -> tuple[BaseOperator, BaseOperator]:
    with TaskGroup(season.group, tooltip=f"{league.name} {season.name}"):
        collect = CollectOperator(
            task_id="collect",
            season=msgspec.to_builtins(season),
            close_task=f"{season.group}.close",
            outlets=league_assets(league.slug),
            **plain,
        )
        close = _sql_task("close", "close_chunk", league_id=league.id, season_id=season.id).as_teardown()
        collect >> close
    return collect, close


def _sql_task(task_id: str, file: str | None = None, **parameters: Any) -> WarehouseSqlOperator:
    return WarehouseSqlOperator(task_id=task_id, file=file, parameters={"execution_id": EXECUTION, **parameters})
