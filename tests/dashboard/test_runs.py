"""Runs on the page: of which league, how started, why failed; those of the catalog and of routes beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sportmonks.dashboard import queries, runs
from sportmonks.planning.execution_id import execution_id
from tests.dashboard.conftest import Client

Warehouse = psycopg.Connection[Any]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RECORD = "SELECT etl.record_collector_run(%s, %s, %s, 9, 4, p_error_message => %s, p_now => %s)"


def record(
    conn: Warehouse, name: str, run: str | None, status: str, error: str | None = None, hours: float = 1
) -> None:
    conn.execute(RECORD, (name, run, status, error, NOW - timedelta(hours=hours)))


def by_id(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["execution_id"]: row for row in found["rows"]}


@pytest.fixture
def others(warehouse: Warehouse) -> str:
    """A catalog that failed in one list, a route that runs, a collector by hand, a league's run with a list; the id of
    the execution of the catalog."""
    catalog = execution_id("sportmonks_catalog", "scheduled__1", NOW)
    record(warehouse, "reference:states", catalog, "success", hours=3)
    record(warehouse, "leagues", catalog, "failed", "League 999 is not covered by this subscription.", hours=2.9)
    record(warehouse, "raw_shop_orders", "etl_route", "running", hours=2)
    record(warehouse, "mine", None, "success", hours=1)
    warehouse.execute("SELECT etl.start_etl_execution('etl_league', p_now => %s)", (NOW - timedelta(hours=4),))
    record(warehouse, "reference:types", "etl_league", "success", hours=4)
    record(warehouse, "chunk:8_1", "etl_league", "success", hours=4)
    return catalog


def test_runs_of_the_catalog_and_of_routes_are_listed_with_those_of_leagues(warehouse: Warehouse, others: str) -> None:
    found = runs.runs(warehouse, now=NOW)
    shown = [(row["kind"], row["dag_id"], row["status"]) for row in found["rows"]]
    assert shown == [
        ("collector", None, "COMPLETED"),
        ("route", "raw_shop_orders", "RUNNING"),
        ("catalog", "sportmonks_catalog", "FAILED"),
        ("league", None, "RUNNING"),
    ]
    assert found["total"] == 4
    catalog = by_id(found)[others]
    assert (catalog["records"], catalog["cause"]) == (18, "leagues: League 999 is not covered by this subscription.")
    for filters, ids in (
        ({"kind": "catalog"}, [others]),
        ({"status": "FAILED"}, [others]),
        ({"status": "COMPLETED"}, [found["rows"][0]["execution_id"]]),
        ({"status": "RUNNING"}, ["etl_route", "etl_league"]),
        ({"kind": "league"}, ["etl_league"]),
        ({"status": "CANCELLED"}, []),
    ):
        page = runs.runs(warehouse, now=NOW, **filters)
        assert ([row["execution_id"] for row in page["rows"]], page["total"]) == (ids, len(ids)), filters
    # From the tab of a DAG run in Airflow.
    tab = runs.runs(warehouse, dag_id="sportmonks_catalog", run_id="scheduled__1", now=NOW)
    assert [row["execution_id"] for row in tab["rows"]] == [others]
    assert runs.runs(warehouse, dag_id="sportmonks_catalog", run_id="scheduled__2", now=NOW)["rows"] == []


def test_runs_of_the_catalog_and_of_routes_name_how_and_by_whom_they_were_started(
    warehouse: Warehouse, others: str
) -> None:
    origin = "INSERT INTO etl.run_origins VALUES (%s, %s, %s, %s, %s)"
    warehouse.execute(origin, (others, "sportmonks_catalog", "scheduled__1", "scheduled", None))
    warehouse.execute(origin, ("etl_route", "raw_shop_orders", "manual__7", "manual", "anna"))
    found = by_id(runs.runs(warehouse, now=NOW))
    shown = {key: (row["run_type"], row["triggered_by"], row["run_id"]) for key, row in found.items()}
    assert shown[others] == ("scheduled", None, "scheduled__1")
    assert shown["etl_route"] == ("manual", "anna", "manual__7")
    alone = runs.run(warehouse, "etl_route", now=NOW)
    assert alone is not None
    assert (alone["run_type"], alone["triggered_by"]) == ("manual", "anna")


def test_one_row_more_than_shown_is_read(seeded: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[int] = []
    read = queries.rows

    def counting(conn: Warehouse, name: str, **given: Any) -> list[dict[str, Any]]:
        if name in ("dashboard/executions", "dashboard/other_runs"):
            limits.append(given["limit"])
        return read(conn, name, **given)

    monkeypatch.setattr(queries, "rows", counting)
    monkeypatch.setattr(runs, "rows", counting)
    for kind in ("league", "route", None):
        runs.runs(seeded, kind=kind, limit=7)
    assert limits == [8] * 4


def test_one_run_of_the_catalog_has_its_lists(warehouse: Warehouse, others: str) -> None:
    found = runs.run(warehouse, others, now=NOW)
    assert found is not None
    assert [(c["collector_name"], c["status"]) for c in found["collectors"]] == [
        ("reference:states", "COMPLETED"),
        ("leagues", "FAILED"),
    ]
    by_hand = runs.runs(warehouse, kind="collector", now=NOW)["rows"][0]
    alone = runs.run(warehouse, by_hand["execution_id"], now=NOW)
    assert alone is not None
    assert [c["collector_name"] for c in alone["collectors"]] == ["mine"]
    assert runs.run(warehouse, "nope", now=NOW) is None


def test_pages_of_all_runs_meet_each_run_once(seeded: Warehouse) -> None:
    seen: list[str] = []
    before = None
    while True:
        page = runs.runs(seeded, limit=7, before=before)
        seen += [row["execution_id"] for row in page["rows"]]
        before = page["next"]
        if before is None:
            break
    assert len(seen) == len(set(seen)) == page["total"] == 60 + 14
    starts = {row["execution_id"]: row["started_at"] for row in runs.runs(seeded, limit=500)["rows"]}
    assert seen == sorted(seen, key=lambda key: (datetime.fromisoformat(starts[key]), key), reverse=True)


def test_the_overall_state_counts_lists_and_routes_until_they_succeed(warehouse: Warehouse, others: str) -> None:
    found = queries.health(warehouse, now=NOW)
    assert found["overall"] == "bad"
    assert "leagues failed in the newest run" in found["reasons"]
    record(warehouse, "leagues", "etl_next", "success", hours=0.5)
    found = queries.health(warehouse, now=NOW)
    assert found["failing_collectors"] == []
    record(warehouse, "raw_gone", "etl_gone", "failed", "404", hours=24 * 8)
    assert queries.health(warehouse, now=NOW)["failing_collectors"] == []


def test_a_catalog_that_fails_first_is_not_called_nothing_has_run(warehouse: Warehouse) -> None:
    record(warehouse, "leagues", "etl_c", "failed", "The key is refused.")
    assert queries.health(warehouse, now=NOW)["overall"] == "bad"


def test_a_run_names_its_league_its_origin_and_the_cause(seeded: Warehouse, client: Client) -> None:
    rows = client.get("api/executions", kind="league", limit=500)["rows"]
    manual = next(row for row in rows if row["run_type"] == "manual")
    assert (manual["triggered_by"], manual["cleared"]) == ("anna", False)
    assert manual["league_name"].lower().replace(" ", "_") == manual["dag_id"].removeprefix("sportmonks_")
    assert {row["attempts"] for row in rows} == {1}
    failed = [row for row in rows if row["status"] == "FAILED"]
    assert {row["cause"] for row in failed} == {"2025/2026: Quality checks failed: goals_add_up: 3 fixtures"}
    assert {row["cause"] for row in rows if row["status"] != "FAILED"} == {None}
    one = failed[0]["execution_id"]
    seeded.execute(
        "UPDATE etl.execution_chunks SET status = 'FAILED', error_message = 'The lease was lost. Clear it.'"
        " WHERE execution_id = %s AND position = 2",
        (one,),
    )
    seeded.execute("UPDATE etl.execution_chunks SET tries = 3 WHERE execution_id = %s", (one,))
    found = client.get(f"api/executions/{one}")
    assert found["cause"].startswith("2 seasons failed, the first of them 2025/2026: Quality checks failed")
    assert found["attempts"] == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("League 9 is not covered. Correct ETL_LEAGUES.", "League 9 is not covered."),
        ("GET /fixtures: 503 after 3.5 s", "GET /fixtures: 503 after 3.5 s"),
        ("first line\nsecond line", "first line"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_a_cause_is_one_sentence(text: str, sentence: str) -> None:
    assert queries.first_sentence(text) == sentence


def test_a_cleared_run_counts_its_attempts(warehouse: Warehouse) -> None:
    start = "SELECT etl.start_etl_execution('etl_1')"
    attempts = "SELECT attempts FROM etl.etl_executions"
    for _ in range(2):  # a retried task starts nothing anew
        warehouse.execute(start)
    assert warehouse.execute(attempts).fetchone() == (1,)
    warehouse.execute("SELECT etl.finish_etl_execution('etl_1', 'FAILED')")
    warehouse.execute("INSERT INTO etl.chunks (league_id, season_id) VALUES (8, 1)")
    warehouse.execute("SELECT etl.open_chunk('etl_1', 8, 1)")
    assert warehouse.execute(attempts).fetchone() == (2,)
    assert runs.runs(warehouse, kind="league")["rows"][0]["cleared"]


def test_a_season_whose_run_is_over_runs_no_more(seeded: Warehouse) -> None:
    """Marked failed by hand in Airflow: before etl_watch has closed it, the page shows what is true."""
    execution, season = seeded.execute(
        "SELECT execution_id, season_id FROM etl.execution_chunks WHERE status = 'RUNNING' LIMIT 1"
    ).fetchone() or ("", 0)
    chunks = "UPDATE etl.chunks SET status = 'RUNNING', last_execution_id = %s WHERE season_id = %s"
    seeded.execute(chunks, (execution, season))
    states = {row["season_id"]: row["state"] for row in queries.coverage(seeded)}
    assert states[season] == "RUNNING"
    seeded.execute(
        "UPDATE etl.etl_executions SET status = 'FAILED', finished_at = now() WHERE execution_id = %s", (execution,)
    )
    rows = {row["season_id"]: row for row in queries.coverage(seeded)}
    # Of its data nothing is missing.
    assert (rows[season]["status"], rows[season]["state"]) == ("FAILED", "COMPLETE")
    chunk = queries.chunk(seeded, season // 1000, season)
    assert chunk is not None
    assert (chunk["status"], chunk["state"]) == ("FAILED", "COMPLETE")
    assert "RUNNING" not in {row["status"] for row in chunk["runs"]}
    found = queries.execution(seeded, execution)
    assert found is not None
    assert "RUNNING" not in {row["status"] for row in found["chunks"]}


@pytest.mark.parametrize(
    ("status", "unread", "total", "collected", "due", "failed", "state"),
    [
        ("PENDING", True, 0, 0, 0, 0, "UNREAD"),
        ("COMPLETED", False, 0, 0, 0, 0, "EMPTY"),
        ("COMPLETED", False, 380, 80, 300, 0, "INCOMPLETE"),
        ("COMPLETED", False, 380, 379, 0, 1, "INCOMPLETE"),
        ("COMPLETED", False, 380, 380, 10, 0, "DUE"),
        ("COMPLETED", False, 380, 80, 0, 0, "UP_TO_DATE"),
        ("COMPLETED", False, 380, 380, 0, 0, "COMPLETE"),
        ("PENDING", False, 380, 380, 0, 0, "COMPLETE"),
        ("RUNNING", True, 0, 0, 0, 0, "RUNNING"),
        ("FAILED", False, 380, 80, 300, 0, "FAILED"),
        ("FAILED", False, 380, 379, 0, 1, "FAILED"),
        ("FAILED", True, 0, 0, 0, 0, "FAILED"),
        # Nothing is missing: only what is there was not read once more.
        ("FAILED", False, 380, 380, 0, 0, "COMPLETE"),
        ("FAILED", False, 380, 380, 10, 0, "DUE"),
        ("FAILED", False, 380, 80, 0, 0, "UP_TO_DATE"),
    ],
)
def test_the_state_of_a_season_follows_from_its_data(
    warehouse: Warehouse, status: str, unread: bool, total: int, collected: int, due: int, failed: int, state: str
) -> None:
    call = "SELECT etl.season_state(%s, %s, %s, %s, %s, %s)"
    assert warehouse.execute(call, (status, unread, total, collected, due, failed)).fetchone() == (state,)


def test_lists_count_their_rows_up_to_a_limit(seeded: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    assert queries.changes(seeded, limit=5)["total"] == 80
    fixture = queries.changes(seeded, limit=1)["rows"][0]["fixture_id"]
    mine = queries.changes(seeded, fixture_id=fixture)
    assert mine["total"] == len(mine["rows"])
    assert queries.alerts(seeded, state="all", limit=2)["total"] == 4
    chunk = queries.chunk(seeded, 6, 6004, fixtures=15)
    assert chunk is not None
    assert (len(chunk["fixtures"]), chunk["fixtures"][0]["total"]) == (15, 40)
    monkeypatch.setattr(queries, "COUNTED", 30)
    assert queries.changes(seeded, limit=5)["total"] == 31
    assert runs.runs(seeded, limit=5)["total"] == 31
