"""Nobody who may create in ``public`` can make our functions run code of theirs (CVE-2018-1058 and its kin)."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate
from tests.warehouse.run_builder import LEAGUE, RUN, One, RunBuilder, at, stored
from tests.warehouse.snapshot import snapshot

# A twin in public of every operator and of every function that our code uses without its schema; each of them fails.
PLANT = """
CREATE FUNCTION public.trap() RETURNS void LANGUAGE plpgsql AS $t$ BEGIN RAISE EXCEPTION 'trapped'; END $t$;
DO $do$
DECLARE
    v_types CONSTANT regtype[] :=
        '{text,bigint,integer,numeric,double precision,boolean,timestamptz,interval,jsonb,date}';
    v       record;
    v_name  text;
BEGIN
    FOR v IN SELECT o.oid, o.oprname, o.oprleft::regtype AS l, o.oprright::regtype AS r,
                    o.oprresult::regtype AS result
             FROM pg_operator o
             WHERE o.oprnamespace = 'pg_catalog'::regnamespace
               AND o.oprleft = ANY (v_types) AND o.oprright = ANY (v_types)
    LOOP
        v_name := 'trap_' || v.oid;
        EXECUTE format('CREATE FUNCTION public.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS '
                       '$t$ BEGIN RAISE EXCEPTION ''trapped''; END $t$', v_name, v.l, v.r, v.result);
        EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.%I)',
                       v.oprname, v.l, v.r, v_name);
    END LOOP;
    FOR v IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, p.prorettype::regtype AS result
             FROM pg_proc p
             WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT p.proretset
               AND p.provariadic = 0 AND p.prorettype = ANY (v_types)
               AND NOT EXISTS (SELECT 1 FROM unnest(p.proargtypes) AS t WHERE t <> ALL (v_types))
    LOOP
        EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS '
                       '$t$ BEGIN RAISE EXCEPTION ''trapped''; END $t$', v.proname, v.arguments, v.result);
    END LOOP;
    -- Better matches than those of pg_catalog, found even where public comes last.
    CREATE FUNCTION public.trap_concat(bigint, text) RETURNS text LANGUAGE plpgsql
        AS $t$ BEGIN RAISE EXCEPTION 'trapped'; END $t$;
    CREATE OPERATOR public.|| (LEFTARG = bigint, RIGHTARG = text, FUNCTION = public.trap_concat);
END $do$;
"""


class CallerWithAnOpenPath(RunBuilder):
    """Calls our functions as a session does that looks into public first."""

    def call(self, function: str, *values: Any, **named: Any) -> Any:
        self.conn.execute("SET LOCAL search_path = public, pg_catalog")
        try:
            return super().call(function, *values, **named)
        finally:
            if not self.conn.broken and self.conn.info.transaction_status != psycopg.pq.TransactionStatus.INERROR:
                self.conn.execute("SET LOCAL search_path = pg_catalog")


@pytest.fixture
def builder(warehouse: psycopg.Connection[Any]) -> RunBuilder:
    warehouse.execute(PLANT.encode())
    warehouse.execute("SET LOCAL search_path = pg_catalog")
    return CallerWithAnOpenPath(warehouse)


def test_each_function_finds_names_in_pg_catalog_only(one: One) -> None:
    """By its own setting, or because they were bound when it was created. A function that lacks it is named."""
    open_to_public = one(
        "SELECT array_agg(p.oid::regprocedure::text ORDER BY 1) FROM pg_proc p"
        " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('etl', 'raw', 'football')"
        " AND p.prosqlbody IS NULL"
        " AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)"
    )
    assert not open_to_public, f"Add SET search_path = pg_catalog, pg_temp to {open_to_public}."


def test_the_traps_work(builder: RunBuilder) -> None:
    builder.conn.execute("SET LOCAL search_path = public")
    with pytest.raises(psycopg.errors.RaiseException, match="trapped"):
        builder.conn.execute("SELECT 8::bigint || '_'")


def test_a_run_and_its_figures(builder: RunBuilder, one: One) -> None:
    builder.start()
    builder.plan({1: 3, 2: 2})
    stored(builder, 1, range(2))
    builder.open(1)
    builder.mark(1, SAVED=1, UNCHANGED=1, FAILED=1)
    builder.collected(1)
    assert builder.call("run_chunk_checks", RUN, LEAGUE, 1, at(4)) == 0
    assert builder.close(1) == "COMPLETED"
    assert builder.call("require_chunk_checks", RUN, LEAGUE, 1) == 5
    builder.open(2)
    builder.call("stop_chunk", RUN, LEAGUE, 2, at(5))
    builder.call("open_chunk", RUN, LEAGUE, 1, at(6))
    builder.mark(1, SAVED=1)
    builder.collected(1)
    builder.close(1)
    assert builder.finish() == "FAILED"
    assert builder.call("get_etl_execution_summary", RUN) is not None
    assert builder.call("get_etl_health_status") is not None
    assert builder.call("execution_report", RUN, True)["execution_id"] == RUN
    assert builder.call("collector_last_success", f"chunk:{LEAGUE}_1") is not None
    assert builder.call("roll_up_metrics", at(60)) > 0
    builder.call("start_etl_execution", "dead", "{}", "sportmonks_x", "manual__2", at(0))
    builder.call("close_dead_execution", "dead", "killed", at(1), at(90))
    assert builder.call("close_abandoned_collector_runs") == 0


def test_alerts_budget_routes_and_timestamps(builder: RunBuilder) -> None:
    call = builder.call
    rows = json.dumps([{"dedupe_key": "a", "severity": "WARNING", "subject": "s", "message": "m", "hint": "h"}])
    assert call("apply_alerts", "kind", rows) is not None
    alert = call("raise_alert", "a", "kind", "WARNING", "s", "m")[0]
    assert call("claim_alert_notifications") is not None
    call("settle_alert_notification", alert, True)
    assert call("acknowledge_alert", alert, "me") == "ACKNOWLEDGED"
    assert call("resolve_alert", "a") == 1

    assert call("take_api_call", "c", "Fixture")[0] == "t"
    call("settle_api_call", "c", "Fixture", "Fixture", 0, 100, 3600.0)
    assert call("take_api_call", "c", "Fixture")[0] == "t"
    call("block_api", "c", "Fixture", 0, 2.0, False)
    call("api_call_failed", "c", "Fixture", 0)

    assert call("ensure_raw_table", "rest", "items", ["id"]) == "client_rest_items"
    route = ("rest_items", "hash")
    fence = int(call("begin_route_run", *route, "r1", 2)[0])
    assert call("advance_route_run", *route, fence, 1, "{}", "{}") is True
    assert call("finish_route_run", *route, fence, "DONE", json.dumps({"records": 1})) is True
    assert call("close_route_run", "rest_items", "r1") == "success"
    call("mark_collector_periods", "rest_items", ["2026"])

    builder.conn.execute("CREATE TABLE public.mine (id integer, twice bigint GENERATED ALWAYS AS (id) STORED)")
    call("add_timestamps", "public.mine")
    builder.conn.execute("INSERT INTO public.mine (id) VALUES (1)")
    builder.conn.execute("SET LOCAL search_path = public, pg_catalog")
    builder.conn.execute("UPDATE public.mine SET id = 2")


def test_casts(builder: RunBuilder) -> None:
    got = [
        builder.call(name, text)
        for name, text in (
            ("to_bigint", "12"),
            ("to_int", "12"),
            ("to_bool", "true"),
            ("to_numeric", "1.5"),
            ("to_utc", "2026-03-01 20:00:00"),
            ("from_epoch", 0),
        )
    ]
    assert None not in got


def test_the_schema_is_made_beside_traps(postgres_server: str, empty_dsn: str, template_database: str) -> None:
    """Migrations look into pg_catalog only, whatever path the database or the role sets."""
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute(PLANT.encode())
    opened = conninfo.make_conninfo(empty_dsn, options="-csearch_path=public,pg_catalog")
    with open_connection(opened, autocommit=True) as conn:
        migrate(conn)
    expected = conninfo.make_conninfo(postgres_server, dbname=template_database)
    # PostgreSQL writes the schema of an operator that the path does not find, so both are read under one path.
    assert shape(empty_dsn) == shape(expected)


def shape(dsn: str) -> str:
    with psycopg.connect(dsn, options="-csearch_path=pg_catalog") as conn:
        return snapshot(conn)
