"""Raw routes in Airflow: make the tables, extract. The work itself is in sportmonks.routes, which knows no Airflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from sportmonks.config.settings import WAREHOUSE_CONN_ID
from sportmonks.errors import BudgetWait, ConfigurationError
from sportmonks.hooks.errors import airflow_errors
from sportmonks.planning.execution_id import execution_id

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

    from sportmonks.routes.source import Access, Source
    from sportmonks.routes.spec import Route


class EnsureRouteTablesOperator(BaseOperator):
    """Makes the raw tables of declared routes: of ``route``, or of every file in include/routes.

    Brings the schema up to date first, so that it works on an empty database too.
    """

    def __init__(
        self, *, route: Route | None = None, warehouse_conn_id: str = WAREHOUSE_CONN_ID, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.route = route
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> list[str]:
        """Names of the tables. Raises AirflowFailException once all good ones exist, naming the others."""
        from sportmonks.routes.parse import load_routes
        from sportmonks.routes.store import ensure_tables
        from sportmonks.warehouse.connection import connect, migrate

        routes, problems = ([self.route], []) if self.route is not None else load_routes()
        with airflow_errors():
            with connect(self.warehouse_conn_id, autocommit=True) as conn:
                migrate(conn)
                tables, refused = ensure_tables(conn, routes)
            wrong = [*(problem.message for problem in problems), *refused]
            self.log.info("Raw tables: %s", ", ".join(tables) or "none")
            if wrong:
                raise ConfigurationError("\n".join(wrong), hint="./etl routes check says the same.")
        return tables


class RouteExtractOperator(BaseOperator):
    """One run of a route: every page of its period into its raw table, fetching and writing at the same time.

    Goes on at the page where an earlier try stopped. A long wait for the API frees the worker slot.
    """

    def __init__(self, *, route: Route, warehouse_conn_id: str = WAREHOUSE_CONN_ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.route = route
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """The summary: records, table, period, seconds, rate, pages and the rest of the figures."""
        with airflow_errors():
            return self._extract(context)

    def resume(self, context: Context, event: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """After a wait in the triggerer: the warehouse knows where to go on."""
        return self.execute(context)

    def _extract(self, context: Context) -> dict[str, Any]:
        from sportmonks.routes.extract import RouteRequest, estimate, plan_run, run_route
        from sportmonks.routes.period import parse_day

        params: Mapping[str, Any] = context["params"]
        wanted = RouteRequest(
            date_from=parse_day(params.get("date_from"), "date_from"),
            date_to=parse_day(params.get("date_to"), "date_to"),
            interval=_interval(context),
            force=bool(params.get("force")),
        )
        # The day of the run, not of the try: a run that is cleared tomorrow still has the same period.
        run = context["dag_run"]
        today = run.run_after.date()
        connect = self._connector()
        plan = plan_run(connect, self.route, wanted, today)
        if params.get("dry_run"):
            answer = estimate(self.route, plan)
            for name, value in answer.items():
                self.log.info("%s: %s", name, value)
            return answer
        source = make_source(self.route, self.warehouse_conn_id)
        try:
            return run_route(
                self.route,
                source,
                connect,
                plan,
                execution_id=execution_id(run.dag_id, run.run_id, run.run_after),
                force=wanted.force,
                today=today,
            )
        except BudgetWait as wait:
            from sportmonks.triggers.budget import BudgetTrigger

            self.log.info("%s The worker slot is free until then.", wait)
            self.defer(trigger=BudgetTrigger(wait.until, wait.entity, wait.message), method_name="resume")
        finally:
            source.close()

    def _connector(self) -> Callable[[], psycopg.Connection[Any]]:
        """Opens warehouse connections from any thread; Airflow is asked once, on this one."""
        from sportmonks.warehouse.connection import open_connection, warehouse_conninfo

        info = warehouse_conninfo(self.warehouse_conn_id)
        return lambda: open_connection(info, autocommit=True)


def make_source(route: Route, warehouse_conn_id: str = WAREHOUSE_CONN_ID) -> Source:
    """The API behind a route's connection. Call it on the task's main thread, where Airflow answers for connections."""
    from sportmonks.routes.source import RestSource, SportmonksSource

    if route.api == "sportmonks":
        from sportmonks.hooks.sportmonks import SportmonksHook

        hook = SportmonksHook(route.connection, warehouse_conn_id=warehouse_conn_id, read_timeout=route.timeout_seconds)
        return SportmonksSource(hook.client, route)
    return RestSource(route, read_access(route.connection))


def read_access(conn_id: str) -> Access:
    """An Airflow connection of type HTTP: host (with or without scheme and path), login, password; of the extra,
    ``verify`` and ``proxies``. Raises ConfigurationError when there is none."""
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException
    from airflow.sdk.log import mask_secret

    from sportmonks.hooks.sportmonks import url_parts
    from sportmonks.routes.source import Access

    try:
        conn = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"There is no Airflow connection {conn_id}.",
            hint=f"Create it (type HTTP, host = base URL, password = token) or set AIRFLOW_CONN_{conn_id.upper()}.",
        ) from None
    if conn.password:
        mask_secret(conn.password)
    extra = conn.extra_dejson
    url = url_parts(conn.host or "", conn.schema, conn.port, conn.conn_type or "")
    return Access(
        base_url=url._replace(query="", fragment="").geturl(),
        login=conn.login or "",
        password=(conn.password or "").strip(),
        verify=extra.get("verify", True),
        proxies=extra.get("proxies"),
    )


def _interval(context: Context) -> tuple[date, date] | None:
    """First and last day of the run's data interval; None for runs without one (manual ones, cron triggers)."""
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is None or end is None or end - start < timedelta(days=1):
        return None
    return start.date(), (end - timedelta(microseconds=1)).date()
