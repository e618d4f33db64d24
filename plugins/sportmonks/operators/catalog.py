"""The catalog: schema, reference lists, leagues and seasons, and the manifest that the league DAGs are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk import BaseOperator

from sportmonks.config.settings import (
    API_CONN_ID,
    MANIFEST_VARIABLE,
    WAREHOUSE_CONN_ID,
    includes_override,
    leagues_override,
)
from sportmonks.hooks.errors import airflow_errors
from sportmonks.planning.execution_id import execution_id

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

    from sportmonks.config.catalog import BudgetSettings
    from sportmonks.config.manifest import Manifest
    from sportmonks.hooks.sportmonks import SportmonksHook
    from sportmonks.reference.lists import ListRun


class MigrateOperator(BaseOperator):
    """Brings the warehouse's schema up to date; does nothing where it is."""

    def __init__(self, *, warehouse_conn_id: str = WAREHOUSE_CONN_ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> list[str]:
        """Names of the migrations applied."""
        from sportmonks.warehouse.connection import connect, migrate

        with airflow_errors(), connect(self.warehouse_conn_id, autocommit=True) as conn:
            return migrate(conn)


class ApiOperator(BaseOperator):
    """Base of the tasks that read lists. ``hook`` and ``connector`` ask Airflow, so call them on the main thread."""

    def __init__(
        self, *, api_conn_id: str = API_CONN_ID, warehouse_conn_id: str = WAREHOUSE_CONN_ID, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.api_conn_id = api_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def hook(self, budget: BudgetSettings | None = None) -> SportmonksHook:
        from sportmonks.config.catalog import BudgetSettings
        from sportmonks.hooks.sportmonks import SportmonksHook

        return SportmonksHook(
            self.api_conn_id,
            warehouse_conn_id=self.warehouse_conn_id,
            budget_dials=(budget or BudgetSettings()).for_client(),
        )

    def connector(self) -> Callable[[], psycopg.Connection[Any]]:
        """Opens autocommit connections to the warehouse."""
        from sportmonks.warehouse.connection import open_connection, warehouse_conninfo

        info = warehouse_conninfo(self.warehouse_conn_id)
        return lambda: open_connection(info, autocommit=True)

    def run_name(self, context: Context) -> str:
        """What the DAG run is called in ``etl.collector_runs``."""
        dag_run = context["dag_run"]
        return execution_id(dag_run.dag_id, dag_run.run_id, dag_run.run_after)


class ReferenceOperator(ApiOperator):
    """States and types into the warehouse."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Per list: rows by what became of them."""
        from sportmonks.reference.lists import collect_list

        done: dict[str, Any] = {}
        with airflow_errors(), closing(self.hook()) as hook:
            connect, run_name = self.connector(), self.run_name(context)
            for name, read in (("states", hook.get_states), ("types", hook.get_types)):
                figures = collect_list(connect, name, read, collector=f"reference:{name}", execution_id=run_name)
                done[name] = asdict(figures)
                self.log.info("%s: %s", name, done[name])
        return done


class PublishCatalogOperator(ApiOperator):
    """Leagues and seasons into the warehouse, and the manifest into its Variable."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Figures of the manifest. Raises AirflowFailException for a malformed catalog or an unknown league."""
        from sportmonks.config.catalog_file import parse_catalog
        from sportmonks.config.manifest import build_manifest
        from sportmonks.config.settings import CATALOG_FILE
        from sportmonks.reference.lists import recorded

        with airflow_errors():
            catalog = parse_catalog(CATALOG_FILE.read_text(encoding="utf-8"))
            is_set, ids = leagues_override()
            wanted = ids if is_set else catalog.league_ids()
            connect = self.connector()
            with recorded(connect, self.run_name(context), "leagues", "seasons") as runs:
                offered = self._offered(wanted, catalog.budget)
                manifest = build_manifest(catalog, offered, self._previous(), only=wanted, includes=includes_override())
                with connect() as conn, conn.transaction():
                    self._store(conn, offered, manifest, runs)
            return self._publish(manifest)

    def _offered(self, wanted: tuple[int, ...] | None, budget: BudgetSettings) -> list[dict[str, Any]]:
        """Leagues with their seasons; where the include is not delivered, the seasons are asked for apart."""
        with closing(self.hook(budget)) as hook:
            leagues = hook.get_leagues(wanted)
            for league in leagues:
                if not league.get("seasons"):
                    league["seasons"] = hook.get_seasons(league["id"])
        return leagues

    def _previous(self) -> Manifest | None:
        from airflow.sdk import Variable

        from sportmonks.config.manifest import decode_manifest
        from sportmonks.errors import ConfigurationError

        text = Variable.get(MANIFEST_VARIABLE, default=None)
        try:
            return decode_manifest(text) if text else None
        except ConfigurationError as error:
            self.log.warning("%s It is replaced; names of groups may change.", error)
            return None

    def _store(
        self,
        conn: psycopg.Connection[Any],
        offered: list[dict[str, Any]],
        manifest: Manifest,
        runs: Mapping[str, ListRun],
    ) -> None:
        from sportmonks.warehouse.connection import sql

        now = datetime.now(UTC)
        followed = {league.id for league in manifest.leagues}
        seasons = [
            {**season, "league_id": league["id"]}
            for league in offered
            for season in league["seasons"]
            if league["id"] in followed
        ]
        for name, rows in (("leagues", offered), ("seasons", seasons)):
            runs[name].figures.store(conn, name, rows, now)
            runs[name].note(conn, "success")
        conn.execute(sql("reference/followed_leagues"), {"leagues": sorted(followed), "now": now})

    def _publish(self, manifest: Manifest) -> dict[str, Any]:
        from airflow.sdk import Variable

        text = msgspec.json.encode(manifest).decode()
        # Written only when it changed: every write makes the processor look at the DAGs again.
        if Variable.get(MANIFEST_VARIABLE, default=None) != text:
            Variable.set(MANIFEST_VARIABLE, text, description="Leagues and seasons that DAGs are generated from")
        figures = {"leagues": len(manifest.leagues), "seasons": sum(len(league.seasons) for league in manifest.leagues)}
        self.log.info("Manifest: %(leagues)d leagues, %(seasons)d seasons", figures)
        return figures
