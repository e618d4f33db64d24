"""The catalog: schema, reference lists, leagues and seasons, and the manifest that the league DAGs are made from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk import BaseOperator

from sportmonks.hooks.faults import airflow_errors
from sportmonks.settings import API_CONN_ID, MANIFEST_VARIABLE, WAREHOUSE_CONN_ID, includes_override, leagues_override

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sportmonks.catalog import Catalog, Manifest
    from sportmonks.hooks.sportmonks import SportmonksHook


class MigrateOperator(BaseOperator):
    """Brings the warehouse's schema up to date; does nothing where it is."""

    def __init__(self, *, warehouse_conn_id: str = WAREHOUSE_CONN_ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> list[str]:
        """Names of the migrations applied."""
        from sportmonks.db import connect, migrate

        with airflow_errors(), connect(self.warehouse_conn_id, autocommit=True) as conn:
            return migrate(conn)


class _ApiOperator(BaseOperator):
    def __init__(
        self, *, api_conn_id: str = API_CONN_ID, warehouse_conn_id: str = WAREHOUSE_CONN_ID, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.api_conn_id = api_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def _hook(self) -> SportmonksHook:
        from sportmonks.hooks.sportmonks import SportmonksHook

        return SportmonksHook(self.api_conn_id, warehouse_conn_id=self.warehouse_conn_id)


class ReferenceOperator(_ApiOperator):
    """States and types into the warehouse."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Per list: rows read, inserted, updated."""
        from sportmonks.db import connect
        from sportmonks.load.reference import store_list

        done: dict[str, Any] = {}
        with airflow_errors(), connect(self.warehouse_conn_id, autocommit=True) as conn:
            hook = self._hook()
            for name, read in (("states", hook.get_states), ("types", hook.get_types)):
                rows = read()
                inserted, updated = store_list(conn, name, rows, datetime.now(UTC))
                done[name] = {"read": len(rows), "inserted": inserted, "updated": updated}
                self.log.info("%s: %s", name, done[name])
        return done


class PublishCatalogOperator(_ApiOperator):
    """Leagues and seasons into the warehouse, and the manifest into its Variable."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Figures of the manifest. Raises AirflowFailException for a malformed catalog or an unknown league."""
        from sportmonks.catalog import parse_catalog
        from sportmonks.manifest import build_manifest
        from sportmonks.paths import CATALOG_FILE

        with airflow_errors():
            catalog = parse_catalog(CATALOG_FILE.read_text(encoding="utf-8"))
            is_set, ids = leagues_override()
            wanted = ids if is_set else catalog.league_ids()
            offered = self._offered(wanted)
            manifest = build_manifest(catalog, offered, self._previous(), only=wanted, includes=includes_override())
            self._store(offered, manifest)
            return self._publish(manifest, catalog)

    def _offered(self, wanted: tuple[int, ...] | None) -> list[dict[str, Any]]:
        """Leagues with their seasons; where the include is not delivered, the seasons are asked for apart."""
        hook = self._hook()
        leagues = hook.get_leagues(wanted)
        for league in leagues:
            if not league.get("seasons"):
                league["seasons"] = hook.get_seasons(league["id"])
        return leagues

    def _previous(self) -> Manifest | None:
        from airflow.sdk import Variable

        from sportmonks.catalog import decode_manifest
        from sportmonks.errors import ConfigurationError

        text = Variable.get(MANIFEST_VARIABLE, default=None)
        try:
            return decode_manifest(text) if text else None
        except ConfigurationError as error:
            self.log.warning("%s It is replaced; names of groups may change.", error)
            return None

    def _store(self, offered: list[dict[str, Any]], manifest: Manifest) -> None:
        from sportmonks.db import connect
        from sportmonks.load.reference import store_list

        now = datetime.now(UTC)
        seasons = [{**season, "league_id": league["id"]} for league in offered for season in league["seasons"]]
        followed = {league.id for league in manifest.leagues}
        with connect(self.warehouse_conn_id, autocommit=True) as conn:
            store_list(conn, "leagues", offered, now)
            store_list(conn, "seasons", [row for row in seasons if row["league_id"] in followed], now)

    def _publish(self, manifest: Manifest, catalog: Catalog) -> dict[str, Any]:
        from airflow.sdk import Variable

        text = msgspec.json.encode(manifest).decode()
        # Written only when it changed: every write makes the processor look at the DAGs again.
        if Variable.get(MANIFEST_VARIABLE, default=None) != text:
            Variable.set(MANIFEST_VARIABLE, text, description="Leagues and seasons that DAGs are generated from")
        figures = {"leagues": len(manifest.leagues), "seasons": sum(len(league.seasons) for league in manifest.leagues)}
        self.log.info("Manifest: %(leagues)d leagues, %(seasons)d seasons", figures)
        return figures
