"""The tasks of the DAG sportmonks_catalog: schema, reference lists, leagues and seasons, lists of the seasons."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from sportmonks.config.settings import MANIFEST_VARIABLE, includes_override, leagues_override
from sportmonks.operators.base import ApiOperator, WarehouseOperator, execution_of, record_origin

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

    from sportmonks.config.manifest import Manifest
    from sportmonks.hooks.sportmonks import SportmonksHook


class MigrateOperator(WarehouseOperator):
    """Brings the warehouse's schema up to date."""

    def perform(self, context: Context) -> list[str]:
        """Names of the migrations that were applied; empty when the schema was up to date."""
        from sportmonks.warehouse.migrations import migrate

        with self.connector()() as conn:
            return migrate(conn)


class ReferenceOperator(ApiOperator):
    """Reads states and types into the warehouse."""

    def perform(self, context: Context) -> dict[str, dict[str, int]]:
        """Per list: row counts (see ``sportmonks.reference.lists.RowCounts``)."""
        from sportmonks.api.budget import CallAccount
        from sportmonks.reference.lists import collect_list

        hook, connect, execution = self.hook(), self.connector(), execution_of(context)
        record_origin(connect, context)
        done: dict[str, dict[str, int]] = {}
        for name, read in (("states", hook.get_states), ("types", hook.get_types)):
            collector = f"reference:{name}"
            hook.client.count_calls_for(CallAccount(execution, collector=collector))
            counts = collect_list(connect, name, read, collector=collector, execution_id=execution)
            done[name] = asdict(counts)
            self.log.info("%s: %s", name, done[name])
        return done


class PublishCatalogOperator(ApiOperator):
    """Reads leagues and seasons into the warehouse and writes the manifest into its Variable."""

    def perform(self, context: Context) -> dict[str, int]:
        """``leagues`` and ``seasons``: how many the manifest has.

        Raises ConfigurationError for a malformed catalog, for a league that the subscription does not cover, for an
        include that does not exist, and when a secrets backend hides the Variable that was written.
        """
        from sportmonks.api.budget import CallAccount
        from sportmonks.config.catalog_file import parse_catalog
        from sportmonks.config.manifest import build_manifest
        from sportmonks.config.settings import CATALOG_FILE
        from sportmonks.incremental.collector import IncrementalCollector
        from sportmonks.reference.leagues import suspected_to_vanish
        from sportmonks.reference.lists import store_counted

        catalog = parse_catalog(CATALOG_FILE.read_text(encoding="utf-8"))
        is_set, ids = leagues_override()
        selected = ids if is_set else catalog.league_ids()
        connect, execution = self.connector(), execution_of(context)
        record_origin(connect, context)
        with (
            IncrementalCollector("leagues", connect, execution) as leagues_run,
            IncrementalCollector("seasons", connect, execution) as seasons_run,
        ):
            hook = self.hook(catalog.budget)
            hook.client.count_calls_for(CallAccount(execution, collector=leagues_run.name))
            offered, previous = _offered(hook, selected), self._previous()
            # Leagues that are named in the catalog cannot vanish unnoticed: build_manifest refuses that.
            known = previous if selected is None and previous and previous.source in ("", hook.source) else None
            with connect() as conn, conn.transaction():
                keep = suspected_to_vanish(conn, known, offered, datetime.now(UTC), catalog.guard)
            manifest = build_manifest(
                catalog,
                offered,
                previous,
                only=selected,
                includes=includes_override(),
                source=hook.source,
                keep=keep,
            )
            hook.client.check_includes(include for league in manifest.leagues for include in league.includes)
            followed = {league.id for league in manifest.leagues}
            seasons = [
                {**season, "league_id": league["id"]}
                for league in offered
                for season in league["seasons"]
                if league["id"] in followed
            ]
            now = datetime.now(UTC)
            with connect() as conn, conn.transaction():
                for name, rows, run in (("leagues", offered, leagues_run), ("seasons", seasons, seasons_run)):
                    store_counted(run, conn, name, rows, now)
                    run.finish(conn)
                _mark_followed(conn, manifest, now)
        return self._publish(manifest)

    def _previous(self) -> Manifest | None:
        """The manifest of the last run: its names of task groups are kept."""
        from airflow.sdk import Variable

        from sportmonks.config.manifest import decode_manifest
        from sportmonks.errors import ConfigurationError

        text = Variable.get(MANIFEST_VARIABLE, default=None)
        try:
            return decode_manifest(text) if text else None
        except ConfigurationError as error:
            self.log.warning("%s It is replaced; names of task groups may change.", error)
            return None

    def _publish(self, manifest: Manifest) -> dict[str, int]:
        from airflow.sdk import Variable

        from sportmonks.airflow_compat import secrets_source
        from sportmonks.errors import ConfigurationError

        text = msgspec.json.encode(manifest).decode()
        # Written only when it changed, because every write makes the DAG processor parse the DAGs again.
        if Variable.get(MANIFEST_VARIABLE, default=None) != text:
            Variable.set(MANIFEST_VARIABLE, text, description="Leagues and seasons that DAGs are generated from")
            if Variable.get(MANIFEST_VARIABLE, default=None) != text:
                raise ConfigurationError(
                    f"The manifest was written into Airflow's database, but the Variable {MANIFEST_VARIABLE} still has"
                    f" another text: {secrets_source(MANIFEST_VARIABLE)} holds an entry of this name, too, and is read"
                    " first. The league DAGs stay as that entry says.",
                    hint="Delete the entry there, then clear this task.",
                )
        counts = {"leagues": len(manifest.leagues), "seasons": sum(len(league.seasons) for league in manifest.leagues)}
        self.log.info("Manifest: %(leagues)d leagues, %(seasons)d seasons", counts)
        return counts


def _offered(hook: SportmonksHook, league_ids: tuple[int, ...] | None) -> list[dict[str, Any]]:
    """Leagues with their seasons; the seasons have a call of their own where the API leaves the include out."""
    leagues = hook.get_leagues(league_ids)
    if not leagues or (league_ids and len(leagues) < len(set(league_ids))):
        # The API omits rows now and then.
        leagues = hook.get_leagues(league_ids) or leagues
    for league in leagues:
        if not league.get("seasons"):
            league["seasons"] = hook.get_seasons(league["id"])
    return leagues


def _mark_followed(conn: psycopg.Connection[Any], manifest: Manifest, now: datetime) -> None:
    from psycopg.types.json import Jsonb

    from sportmonks.warehouse.queries import sql

    seasons = [
        {"league_id": league.id, "season_id": season.id, "league": league.name, "season": season.name}
        for league in manifest.leagues
        for season in league.seasons
    ]
    conn.execute(sql("reference/season_chunks"), {"seasons": Jsonb(seasons)})
    conn.execute(
        sql("reference/followed_leagues"), {"leagues": sorted(league.id for league in manifest.leagues), "now": now}
    )


class StructureOperator(ApiOperator):
    """Reads stages, rounds, teams and venues of the seasons that are due; see ``sportmonks.reference.season_lists``.

    A list for which no call is left ends until the next DAG run, so this task does not wait for the budget.
    """

    def perform(self, context: Context) -> dict[str, dict[str, Any]]:
        """Per list: row counts, seasons read and still due, and why the list ended early."""
        from airflow.sdk import Variable

        from sportmonks.config.manifest import decode_manifest
        from sportmonks.reference.season_lists import SeasonLists

        manifest = decode_manifest(Variable.get(MANIFEST_VARIABLE))
        connect = self.connector()
        record_origin(connect, context)
        lists = SeasonLists(
            connect=connect,
            client=self.hook(manifest.settings.budget).client,
            leagues=[league.id for league in manifest.leagues],
            sweep=manifest.settings.sweep,
            guard=manifest.settings.guard,
            execution_id=execution_of(context),
            log=self.log,
        )
        return {name: asdict(result) for name, result in lists.read().items()}
