"""The tasks of raw routes: make the tables, extract. The work is in ``sportmonks.routes``, which is free of Airflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sportmonks.config.settings import API_CONN_ID, WAREHOUSE_CONN_ID
from sportmonks.errors import ConfigurationError
from sportmonks.operators.base import WarehouseOperator, execution_of, record_origin
from sportmonks.operators.lineage import LineageMixin, Written, endpoint, operator_lineage
from sportmonks.planning.backfill import BACKFILL, run_parameters

# Calls an hour of an API that reports no limit: none is assumed, and a refusal still holds back every task.
UNLIMITED = 1_000_000_000
# Counters of a run (routes.counters.COUNTERS) -> Airflow's metric.
ROUTE_METRICS = {
    "pages": "pages",
    "records": "records",
    "inserted": "inserted",
    "failed": "rejects",
    "asked_again": "requested_again",
    "bytes": "bytes",
}

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

    from sportmonks.routes.access import RouteAccess
    from sportmonks.routes.source import Source
    from sportmonks.routes.spec import Route


class EnsureRouteTablesOperator(WarehouseOperator):
    """Makes the raw tables of declared routes: of ``route``, or of every file in include/routes.

    Brings the schema up to date first, so that it works on an empty database too.
    """

    def __init__(self, *, route: Route | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.route = route

    def perform(self, context: Context) -> list[str]:
        """Names of the tables. Raises ConfigurationError, which names the wrong routes, after making the others."""
        from sportmonks.routes.parse import load_routes
        from sportmonks.routes.store import ensure_tables
        from sportmonks.warehouse.migrations import migrate

        routes, problems = ([self.route], []) if self.route is not None else load_routes()
        with self.connector()() as conn:
            migrate(conn)
            tables, refused = ensure_tables(conn, routes)
        wrong = [*(problem.message for problem in problems), *refused]
        self.log.info("Raw tables: %s", ", ".join(tables) or "none")
        if wrong:
            raise ConfigurationError("\n".join(wrong), hint="./etl routes check says the same.")
        return tables


class RouteExtractOperator(LineageMixin, WarehouseOperator):
    """One run of a route: every page of its period into its raw table, fetching and writing at the same time.

    Goes on at the page where an earlier try stopped.
    """

    def __init__(self, *, route: Route, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.route = route

    def perform(self, context: Context) -> dict[str, Any]:
        """The summary: records, table, period, seconds, rate, pages and the other figures; of a dry run, the
        estimate."""
        from sportmonks.routes.extract import RouteRequest, estimate, plan_run, record_failure, run_route
        from sportmonks.routes.period import local_today, parse_day

        params = run_parameters(context["params"], context["dag_run"], self.route.schedule)
        if self.route.period is None and context["dag_run"].run_type == BACKFILL:
            raise ConfigurationError(
                f"{self.route.name} has no period, so every run of a Backfill would read the same pages.",
                hint="Trigger the DAG once instead.",
            )
        request = RouteRequest(
            date_from=parse_day(params.get("date_from"), "date_from"),
            date_to=parse_day(params.get("date_to"), "date_to"),
            interval=_interval(context),
            force=bool(params.get("force")),
        )
        # The day of the run, not of the try: a run that is cleared tomorrow still has the same period.
        today = local_today(context["dag_run"].run_after, self.route.period)
        connect = self.connector()
        plan = plan_run(connect, self.route, request, today, execution_of(context))
        if params.get("dry_run"):
            estimated = estimate(self.route, plan)
            for name, value in estimated.items():
                self.log.info("%s: %s", name, value)
            return estimated
        record_origin(connect, context)
        self._added: Counter[str] = Counter()
        execution = execution_of(context)
        try:
            source = self.close_later(make_source(self.route, self.warehouse_conn_id, execution))
        except ConfigurationError as error:
            record_failure(self.route, connect, plan, error, execution_id=execution, force=request.force)
            raise
        self._base_url = source.base_url
        return run_route(
            self.route,
            source,
            connect,
            plan,
            execution_id=execution,
            force=request.force,
            today=today,
            on_page=self._on_page,
        )

    def _on_page(self, added: Mapping[str, float]) -> None:
        """A stored page of the run, for the waits of the task and among Airflow's own metrics."""
        from sportmonks.monitoring import airflow_stats

        self.call_succeeded()
        for counter, metric in ROUTE_METRICS.items():
            airflow_stats.count(f"route_{metric}", added.get(counter, 0), route=self.route.name)
            self._added[counter] += int(added.get(counter, 0))

    def lineage(self, conn: psycopg.Connection[Any]) -> Any:
        """From the route's endpoint, as its file names it, into its raw table: new records and bytes of this try."""
        from sportmonks.api.paths import full_path

        if (base_url := getattr(self, "_base_url", None)) is None:
            return None
        written = Written(f"raw.{self.route.table}", int(self._added["inserted"]), int(self._added["bytes"]))
        path = full_path(self.route.path) if self.route.api == "sportmonks" else self.route.path
        return operator_lineage(conn, [endpoint(base_url, path)], [written])


def make_source(route: Route, warehouse_conn_id: str = WAREHOUSE_CONN_ID, execution_id: str | None = None) -> Source:
    """The API behind a route's connection. Call it on the task's main thread, the only one on which Airflow serves
    connections. ``execution_id``: calls are counted for that run of the route."""
    from sportmonks.api.budget import CallAccount, PostgresBudget
    from sportmonks.routes.source import RestSource, SportmonksSource
    from sportmonks.warehouse.connection import open_connection, warehouse_conninfo

    account = CallAccount(execution_id, collector=route.name)
    if route.api == "sportmonks":
        from sportmonks.hooks.sportmonks import SportmonksHook

        hook = SportmonksHook(route.connection, warehouse_conn_id=warehouse_conn_id, read_timeout=route.timeout_seconds)
        # Another connection may lead to another part of the API (another path); its rows are in the route's own table.
        hook.claims_warehouse = route.connection == API_CONN_ID
        hook.client.count_calls_for(account)
        return SportmonksSource(hook.client, route)
    info = warehouse_conninfo(warehouse_conn_id)
    budget = PostgresBudget(
        lambda: open_connection(info, autocommit=True),
        route.connection,
        reserve=0.0,
        default_limit=UNLIMITED,
    )
    return RestSource(route, read_access(route.connection), budget=budget, account=account)


def read_access(conn_id: str) -> RouteAccess:
    """Address and credentials of an Airflow connection of type HTTP: host (with or without scheme and path), login,
    password; of the extra, ``verify`` and ``proxies``. Raises ConfigurationError when there is no such connection."""
    from airflow.sdk.log import mask_secret

    from sportmonks.airflow_compat import connection
    from sportmonks.routes.access import RouteAccess

    conn = connection(conn_id, "Create it (type HTTP, host = base URL, password = token) or set {variable}.")
    if conn.password:
        mask_secret(conn.password)
    return RouteAccess.of_connection(
        host=conn.host,
        schema=conn.schema,
        port=conn.port,
        conn_type=conn.conn_type,
        login=conn.login,
        password=conn.password,
        extra=conn.extra_dejson,
    )


def _interval(context: Context) -> tuple[date, date] | None:
    """First and last day of the run's data interval; None when it is shorter than a day or missing (manual runs)."""
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is None or end is None or end - start < timedelta(days=1):
        return None
    return start.date(), (end - timedelta(microseconds=1)).date()
