"""One DAG per route file. A problem with a file becomes a DAG that describes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pendulum
from airflow.sdk import DAG, Asset, Param, chain, get_parsing_context

# Not airflow.sdk's: in Airflow 3.3 that one cannot be serialised (its _summary is missing).
from airflow.timetables.events import EventsTimetable

from sportmonks.airflow_compat import CronTriggerTimetable
from sportmonks.alerts.failures import run_failed, run_succeeded
from sportmonks.config.settings import ROUTES_DIR, SQL_DIR
from sportmonks.operators.routes import EnsureRouteTablesOperator, RouteExtractOperator
from sportmonks.operators.sql import WarehouseSqlOperator
from sportmonks.planning.execution_id import execution_id
from sportmonks.render.dag import DeadlineDag, problem_dag, run_params
from sportmonks.routes.parse import Problem, load_routes
from sportmonks.routes.spec import Route

TABLES_DAG = "raw_routes_tables"
EXAMPLE = "example"
START = datetime(2024, 1, 1, tzinfo=UTC)
_NOT_CRON = ("@once", "@continuous")
EXECUTION = "{{ execution_id(dag_run.dag_id, dag_run.run_id, dag_run.run_after) }}"

DOC = """\
### {client} / {route}

{description}

Every page of `{path}` (connection `{connection}`) into `raw.{table}`{period}. Declared in `include/routes/{file}`.

**How it runs.** `ensure_table` → `extract` (fetches and stores at the same time; logs a line per page and a
summary at the end) → `summary` (completes the row in `etl.collector_runs`, also after a failure).

**Triage.** The last line of the `extract` log names the cause and what to do. Records stored so far are kept.

| seen | meaning | do |
|---|---|---|
| `extract` deferred | the API allows no call now; the worker slot is free | wait; it continues by itself |
| failed after retries | {retry_max} failed responses in a row | clear `extract`: it continues at that page |
| `failed` above 0 | records that could not be stored | look into `etl.route_rejects` |
| `unproven` above 0 | listings that may be short: the API counts more than it shows, or nothing came where records \
always came | see the warnings in the log; \
`until: empty` if its total is wrong for good |
| `out_of_range`, `undated` above 0 | the API sent records outside the period or without a date | check `date_field` |

**Debug.** `./etl routes check` reads the file, `./etl routes show {dag_id}` prints the requests it would make. One page
by hand: trigger with a short period. Figures of each run: `etl.collector_runs`.

**Clear.** `extract` continues at the page where it stopped. A run that was complete reads everything again; contents
that are already stored are not stored twice.

**Backfill.** {backfill} `dry_run` first shows the listings and requests. `force` starts from the first page, even where
an earlier run stopped half-way.
"""
BACKFILL_DAYS = (
    "Trigger with the form (`date_from`, `date_to`), or use Airflow's own Backfill: each of its runs reads the days "
    "from its own to the one before the next run."
)
BACKFILL_WITHOUT_PERIOD = (
    "Trigger with the form. Airflow's own Backfill is refused, because this route has no period: every run would read"
    " the same pages."
)

TABLES_DOC = """\
### Tables of the raw routes

Creates the raw table of every route in `include/routes`, empty and with its indexes. It runs once after each change in
that folder: the table of a new file exists about one parse interval later, before its first extraction.
`./etl routes create` does the same at once.

**Triage.** When it fails, the log names the file, line and key that is wrong, or the two routes with the same table.
The tables of all other routes exist.

**Debug.** `./etl routes check` reads the same files and names what is wrong; `./etl routes list` shows routes, tables
and last runs.

**Clear.** At any time; existing tables stay as they are.

**Backfill.** There is nothing to backfill.
"""


def route_dags(folder: Path | None = None) -> dict[str, DAG]:
    """DAGs by id, from the YAML files of ``folder``, and the one that makes their tables."""
    return listing_dags(folder) | tables_dags(folder)


def tables_dags(folder: Path | None = None) -> dict[str, DAG]:
    """The DAG that makes the tables of the routes, by id; empty when a task of another DAG starts."""
    wanted = get_parsing_context().dag_id in (None, TABLES_DAG)
    return {TABLES_DAG: _tables_dag(folder or ROUTES_DIR)} if wanted else {}


def listing_dags(folder: Path | None = None) -> dict[str, DAG]:
    """DAGs by id, from the YAML files of ``folder``. When a task starts, only its own DAG is built.

    Airflow takes every DAG that is built for one of the file that builds it, so two DAG files may not both build one.
    """
    folder = folder or ROUTES_DIR
    only = get_parsing_context().dag_id
    routes, problems = load_routes(folder)
    dags: dict[str, DAG] = {}
    for route in routes:
        if only is None or only == route.name:
            try:
                dags[route.name] = build_route_dag(route)
            except Exception as error:  # one route must not take the others with it
                problems.append(Problem(route.file, f"{route.file}: Airflow refuses it: {error}"))
    for problem in problems:
        name = _free(problem.name, {*dags, TABLES_DAG})
        if only is None or only == name:
            dags[name] = _problem_dag(name, problem)
    return dags


def build_route_dag(route: Route) -> DAG:
    """The DAG of a route. The same file always gives the same DAG."""
    from sportmonks.alerts.deadlines import run_deadline

    period = route.period
    minutes = route.deadline_minutes
    dag = DeadlineDag(
        dag_id=route.name,
        dag_display_name=f"Raw: {route.client} {route.route}",
        description=route.description or f"{route.route} of {route.client} into raw.{route.table}",
        doc_md=DOC.format(
            dag_id=route.name,
            client=route.client,
            route=route.route,
            description=route.description,
            path=route.path,
            connection=route.connection,
            table=route.table,
            period=f", in windows of {period.max_days} days" if period and period.max_days else "",
            file=route.file,
            retry_max=route.retry_max + 1,
            backfill=BACKFILL_DAYS if period else BACKFILL_WITHOUT_PERIOD,
        ),
        schedule=_schedule(route),
        start_date=_start(route),
        catchup=False,
        max_active_runs=1,
        params=run_params(route_params(route)),
        tags=sorted({"raw", "route", route.client, *route.tags}),
        # An example is to be read, not to be run: it is of an API that only its author has.
        is_paused_upon_creation=True if EXAMPLE in route.tags else None,
        template_searchpath=[str(SQL_DIR)],
        user_defined_macros={"execution_id": execution_id},
        deadline=[run_deadline(minutes)] if minutes else None,
        default_args={
            "owner": "sportmonks",
            "retries": route.retries,
            "retry_delay": timedelta(seconds=60),
            "execution_timeout": timedelta(minutes=route.execution_timeout_minutes),
            "on_failure_callback": run_failed,
        },
    )
    with dag:
        ensure = EnsureRouteTablesOperator(task_id="ensure_table", route=route)
        extract = RouteExtractOperator(
            task_id="extract", route=route, outlets=[Asset(f"raw.{route.table}")], on_success_callback=run_succeeded
        )
        summary = WarehouseSqlOperator(
            task_id="summary", file="close_route", parameters={"route": route.name, "execution": EXECUTION}
        )
        ensure.as_setup()  # type: ignore[no-untyped-call]
        summary.as_teardown(setups=ensure)
        chain(ensure, extract, summary)
    return dag


def _schedule(route: Route) -> CronTriggerTimetable | str | None:
    """The first run of a new or unpaused route is at its next time, so that the catalog it may need has run before."""
    if route.schedule is None or route.schedule in _NOT_CRON:
        return route.schedule
    return CronTriggerTimetable(route.schedule, timezone="UTC", run_immediately=timedelta(0))


def _start(route: Route) -> datetime | None:
    if route.start_date is None:
        return START if route.schedule in _NOT_CRON else None
    return datetime(route.start_date.year, route.start_date.month, route.start_date.day, tzinfo=UTC)


def route_params(route: Route) -> dict[str, Param]:
    """The trigger form. Airflow refuses a value that does not fit and names the parameter."""
    days: dict[str, Param] = {}
    if route.period is not None:
        days = {
            "date_from": Param(
                None,
                type=["null", "string"],
                format="date",
                title="From",
                section="What",
                description="First day (UTC). Empty: a little before the end of the last run; in a run of Airflow's"
                " Backfill, the days of that run.",
            ),
            "date_to": Param(
                None,
                type=["null", "string"],
                format="date",
                title="To",
                section="What",
                description="Last day (UTC), included. Empty: today.",
            ),
        }
    return {
        **days,
        "dry_run": Param(
            False,
            type="boolean",
            title="Estimate only",
            section="Mode",
            description="Only show the listings and requests, without a call.",
        ),
        "force": Param(
            False,
            type="boolean",
            title="Begin from the start",
            section="Mode",
            description="Start from the first page, even where an earlier run over the same period stopped half-way.",
        ),
    }


def _tables_dag(folder: Path) -> DAG:
    with DAG(
        dag_id=TABLES_DAG,
        dag_display_name="Raw: tables of all routes",
        description="Creates the raw table of every declared route, once after each change of include/routes",
        doc_md=TABLES_DOC,
        # The only event is the newest change: the scheduler runs the DAG once for it.
        schedule=EventsTimetable(event_dates=[_changed_at(folder)], description="Once after each change of the routes"),
        start_date=START,
        catchup=True,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["raw", "sportmonks"],
        default_args={
            "owner": "sportmonks",
            "retries": 5,
            "retry_delay": timedelta(seconds=30),
            "execution_timeout": timedelta(hours=2),
        },
    ) as dag:
        EnsureRouteTablesOperator(task_id="ensure_tables")
    return dag


def _changed_at(folder: Path) -> pendulum.DateTime:
    """When a route file last changed. The inode's time counts too, because a copied file may keep its old time."""
    found: list[float] = [START.timestamp()]
    for path in [folder, *_yaml_files(folder)]:
        try:
            status = path.stat()
        except OSError:
            continue
        found.append(max(status.st_mtime, status.st_ctime))
    return pendulum.from_timestamp(int(max(found)) + 1)


def _yaml_files(folder: Path) -> Iterable[Path]:
    return sorted(folder.glob("*.y*ml"))


def _problem_dag(name: str, problem: Problem) -> DAG:
    lines = "\n".join(f"- {line}" for line in problem.message.split("\n"))
    return problem_dag(
        name,
        problem.message,
        title=f"Raw: problem in {problem.file}",
        doc=f"### `include/routes/{problem.file}` gives no DAG\n\n{lines}",
        tag="raw",
        hint="Correct the file; the DAG of its route then replaces this one.",
    )


def _free(name: str, taken: set[str]) -> str:
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found
