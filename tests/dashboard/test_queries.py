"""The questions, their paging and their edges, on a seeded warehouse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sportmonks.alerts import dispatch
from sportmonks.alerts.failures import RUN_FAILED
from sportmonks.alerts.message import KIND_NAMES
from sportmonks.alerts.notifier import Delivery
from sportmonks.alerts.rules import RULES
from sportmonks.config.catalog import Thresholds
from sportmonks.dashboard import export, queries, runs
from sportmonks.monitoring import housekeeping

Warehouse = psycopg.Connection[Any]


def test_health_says_what_is_wrong(seeded: Warehouse) -> None:
    found = queries.health(seeded)
    assert found["overall"] == "bad"
    assert found["reasons"][:2] == ["2 critical alerts", "1 season failed in the newest run"]
    exact = seeded.execute("SELECT logs_24h, errors_24h FROM etl.get_etl_health_status()").fetchone()
    assert (found["logs_24h"], found["errors_24h"]) == exact
    assert found["total_executions"] == 60
    assert found["chunks"] == 48


def test_a_failed_reread_takes_nothing_away(seeded: Warehouse) -> None:
    """A forced run of a complete season failed: that needs a look, and what is stored is as good as before."""
    seeded.execute(
        "UPDATE etl.etl_alerts SET status = 'RESOLVED', resolved_at = now();"
        "UPDATE etl.chunks SET status = 'COMPLETED' WHERE status = 'FAILED';"
        "UPDATE etl.chunks SET status = 'FAILED', error_message = 'The API kept failing.' WHERE season_id = 1003"
    )
    found = queries.health(seeded)
    assert (found["failed_chunks"], found["failed_rereads"], found["overall"]) == (0, 1, "attention")
    assert "1 season with nothing missing failed in the newest run" in found["reasons"]
    states = {row["season_id"]: (row["status"], row["state"]) for row in queries.coverage(seeded)}
    assert states[1003] == ("FAILED", "COMPLETE")
    chunk = queries.chunk(seeded, 1, 1003)
    assert chunk is not None
    assert (chunk["status"], chunk["state"]) == ("FAILED", "COMPLETE")


def test_an_empty_warehouse_has_empty_answers(warehouse: Warehouse) -> None:
    assert queries.health(warehouse)["overall"] == "empty"
    assert runs.runs(warehouse) == {"rows": [], "next": None, "total": 0}
    assert queries.logs(warehouse, level="ERROR")["rows"] == []
    assert queries.coverage(warehouse) == []
    assert queries.execution(warehouse, "nope") is None
    assert queries.chunk(warehouse, 1, 2) is None
    assert all(
        not line["points"] or set(line["points"]) == {None}
        for c in queries.charts(warehouse)["charts"]
        for line in c["series"]
    )
    assert queries.log_components(warehouse) == []
    assert export.as_csv([]) == "\r\n"


def test_executions_page_through_everything_once(seeded: Warehouse) -> None:
    seen: list[str] = []
    before = None
    while True:
        page = runs.runs(seeded, kind="league", limit=7, before=before)
        seen += [row["execution_id"] for row in page["rows"]]
        before = page["next"]
        if before is None:
            break
    assert len(seen) == len(set(seen)) == 60
    assert {row["status"] for row in runs.runs(seeded, kind="league", status="FAILED")["rows"]} == {"FAILED"}


def test_a_running_execution_tells_what_is_left(seeded: Warehouse) -> None:
    row = runs.runs(seeded, kind="league", status="RUNNING")["rows"][0]
    left = row["total_fixtures"] - row["processed_fixtures"]
    assert row["remaining_seconds"] == pytest.approx(left * row["duration_seconds"] / row["processed_fixtures"], abs=1)


def test_an_execution_hides_secrets_in_its_settings(seeded: Warehouse) -> None:
    row = runs.runs(seeded, kind="league")["rows"][0]
    found = queries.execution(seeded, row["execution_id"])
    assert found is not None
    assert found["processed_fixtures"] == row["processed_fixtures"] > 0
    assert found["config"] == {"batch_size": 50, "includes": ["participants", "scores"], "api_token": "***"}
    assert [c["status"] for c in found["chunks"]] == ["COMPLETED", "RUNNING", "PENDING"]
    assert sum(reason["planned"] for reason in found["reasons"]) > 0
    json.dumps(found)


def test_coverage_marks_what_is_stale(seeded: Warehouse) -> None:
    found = {row["chunk_id"]: row for row in queries.coverage(seeded)}
    assert found["4_4001"]["stale"]
    assert not found["1_1001"]["stale"]
    assert found["3_3001"]["status"] == "FAILED"


def test_a_season_lists_what_needs_something(seeded: Warehouse) -> None:
    found = queries.chunk(seeded, 3, 3001)
    assert found is not None
    assert [f["collection_status"] for f in found["fixtures"]] == ["FAILED"] * 3
    assert found["checks"][0]["name"] == "goals_add_up"
    assert not found["checks"][0]["success"]
    assert len(found["runs"]) > 1


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"level": "WARNING"},
        {"level": "ERROR", "component": "API"},
        {"component": "LOAD"},
        {"chunk_id": "3_3001"},
        {"chunk_id": "3_3001", "level": "WARNING"},
        {"text": "HELD BACK"},
        {"text": '"batch": 7'},
        {"fixture_id": 10010012},
        {"level": "ERROR", "text": "503"},
    ],
)
def test_log_pages_equal_one_large_page(
    seeded: Warehouse, filters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the filters, and with a small look-back, paging finds every line once and in order."""
    monkeypatch.setattr(queries, "SCAN", 150)
    monkeypatch.setattr(queries, "SCAN_SPARSE", 60)
    seen: list[int] = []
    before = None
    for _ in range(200):
        page = queries.logs(seeded, limit=20, before=before, **filters)
        seen += [row["log_id"] for row in page["rows"]]
        before = page["next"]
        if before is None:
            break
    levels = list(queries.LEVELS[queries.LEVELS.index(filters.get("level", "DEBUG")) :])
    expected = seeded.execute(
        "SELECT log_id FROM etl.etl_logs WHERE level = ANY(%(levels)s)"
        " AND (%(component)s::text IS NULL OR component = %(component)s)"
        " AND (%(chunk_id)s::text IS NULL OR chunk_id = %(chunk_id)s)"
        " AND (%(fixture_id)s::bigint IS NULL OR fixture_id = %(fixture_id)s)"
        " AND (%(text)s::text IS NULL OR lower(message || details::text) LIKE '%%' || lower(%(text)s) || '%%')"
        " ORDER BY log_id DESC",
        {"component": None, "chunk_id": None, "fixture_id": None, "text": None, **filters, "levels": levels},
    ).fetchall()
    assert before is None
    assert len(expected) > 0
    assert seen == [row[0] for row in expected]


def test_a_thin_page_says_how_far_it_looked(seeded: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "SCAN", 100)
    page = queries.logs(seeded, text="no such text anywhere")
    assert page["rows"] == []
    assert page["looked_at"] == 100
    assert page["next"] is not None
    assert page["looked_back_to"] is not None


def test_charts_have_points_in_their_buckets(warehouse: Warehouse) -> None:
    now = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
    for minutes, value in ((1, 10.0), (2, 30.0), (50, 4.0)):
        warehouse.execute(
            "INSERT INTO etl.etl_metrics (timestamp, metric_name, metric_value) VALUES (%s, 'fixtures_per_second', %s)",
            (now - timedelta(minutes=minutes), value),
        )
    found = queries.charts(warehouse, hours=1, now=now)
    assert found["step"] == 60
    speed = found["charts"][0]
    at = dict(zip(found["t"], speed["series"][0]["points"], strict=True))
    stored = {time: value for time, value in at.items() if value is not None}
    minute = int(now.timestamp() // 60 * 60)
    assert stored == {minute - 60: 10, minute - 120: 30, minute - 3000: 4}
    assert queries.charts(warehouse, hours=168, now=now)["step"] == 7200
    warehouse.execute(
        "INSERT INTO etl.etl_metrics (metric_name, metric_value) VALUES ('odd', 'NaN'), ('odd', 'Infinity')"
    )
    assert queries.metrics_summary(warehouse)[-1]["mean"] is None
    own = queries.charts(warehouse, hours=1, names=["fixtures_per_second"], now=now)["charts"]
    assert [line["label"] for line in own[0]["series"]] == [
        "fixtures_per_second (mean)",
        "fixtures_per_second (maximum)",
    ]


def test_rolled_up_charts_equal_the_raw_ones(seeded: Warehouse) -> None:
    now = datetime.now(UTC)
    before = queries.charts(seeded, hours=24, now=now)
    assert housekeeping.roll_up(seeded, now=now - timedelta(hours=3)) > 100
    assert _near(queries.charts(seeded, hours=24, now=now), before)
    seeded.execute(
        "INSERT INTO etl.etl_metrics (timestamp, metric_name, metric_value) VALUES (%s, 'fixtures_per_second', 1e4)",
        (now - timedelta(hours=3, minutes=30),),
    )
    housekeeping.roll_up(seeded, now=now)  # came late, and is counted
    again = queries.charts(seeded, hours=24, now=now)
    assert max(p for p in again["charts"][0]["series"][1]["points"] if p is not None) == 1e4
    seeded.execute("TRUNCATE etl.metric_buckets")
    assert _near(queries.charts(seeded, hours=24, now=now), again)


def _near(one: dict[str, Any], other: dict[str, Any]) -> bool:
    def points(charts: dict[str, Any]) -> list[Any]:
        return [line["points"] for chart in charts["charts"] for line in chart["series"]]

    same = [
        a == b or a == pytest.approx(b)
        for left, right in zip(points(one), points(other), strict=True)
        for a, b in zip(left, right, strict=True)
    ]
    return one["t"] == other["t"] and all(same)


def test_alerts_and_changes_page(seeded: Warehouse) -> None:
    assert [a["status"] for a in queries.alerts(seeded)["rows"]] == ["OPEN"] * 3
    names = {a["kind"]: a["kind_name"] for a in queries.alerts(seeded)["rows"]}
    assert names["STALE_LEAGUE"] == "A league is stale"
    assert {rule.kind for rule in RULES} | {RUN_FAILED} == set(KIND_NAMES)
    first = queries.alerts(seeded, state="all", limit=3)
    assert len(first["rows"]) + len(queries.alerts(seeded, state="all", before=first["next"])["rows"]) == 4
    page = queries.changes(seeded, limit=50)
    rest = queries.changes(seeded, limit=50, before=page["next"])
    assert (len(page["rows"]), len(rest["rows"]), rest["next"]) == (50, 30, None)
    fixture = page["rows"][0]["fixture_id"]
    assert {c["fixture_id"] for c in queries.changes(seeded, fixture_id=fixture)["rows"]} == {fixture}


def test_a_spreadsheet_runs_nothing() -> None:
    rows = [
        {"name": "=HYPERLINK(1)", "n": -3, "d": {"a": 1}, "none": None},
        {"name": "@x", "n": 1, "d": [], "none": ""},
        {"name": "\uff1dcmd", "n": 1, "d": [], "none": "-1+1"},
    ]
    assert export.as_csv(rows).splitlines() == [
        "name,n,d,none",
        '\'=HYPERLINK(1),-3,"{""a"": 1}",',
        "'@x,1,[],",
        "'\uff1dcmd,1,[],'-1+1",
    ]


def test_export_writes_complete_files(seeded: Warehouse, tmp_path: Any) -> None:
    execution = runs.runs(seeded, kind="league", status="COMPLETED")["rows"][0]["execution_id"]
    everything = export.everything(seeded, {"execution_id": execution})
    export.write_json(tmp_path / "all.json", everything)
    assert json.loads((tmp_path / "all.json").read_text())["execution"]["execution_id"] == execution
    assert [path.name for path in tmp_path.iterdir()] == ["all.json"]
    assert {row["execution_id"] for row in everything["logs"]} == {execution}
    assert set(export.TABLES) < set(everything)


def test_an_export_holds_what_the_filters_ask_for(seeded: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far behind the newest lines as well, and an old execution's metrics whatever the hour."""
    monkeypatch.setattr(queries, "SCAN", 100)
    monkeypatch.setattr(queries, "SCAN_SPARSE", 20)
    expected = seeded.execute("SELECT count(*) FROM etl.etl_logs WHERE message LIKE '%held back%'").fetchone()
    for filters in ({"text": "held back"}, {"text": "held back", "level": "WARNING"}):
        assert (len(export.table(seeded, "logs", filters)),) == expected
    assert queries.search_logs(seeded, text="held back", limit=5)["next"] is not None
    assert queries.search_logs(seeded, text="no such text", seconds=0)["looked_at"] == 100
    old = runs.runs(seeded, kind="league", limit=200)["rows"][-1]["execution_id"]
    seeded.execute(
        "INSERT INTO etl.etl_metrics (timestamp, execution_id, metric_name, metric_value)"
        " VALUES (now() - interval '9 days', %s, 'chunk_duration', 7)",
        (old,),
    )
    assert [row["mean"] for row in export.table(seeded, "metrics", {"execution_id": old})] == [7]
    assert export.table(seeded, "metrics", {"execution_id": old, "hours": 24}) == []
    rows = export.table(seeded, "changes", {"league_id": 1, "season_id": 1001})
    assert {(row["league_id"], row["season_id"]) for row in rows} == {(1, 1001)}


def test_what_is_due_and_stale_is_counted_now(seeded: Warehouse) -> None:
    """A paused DAG counts nothing any more, and that is when people look."""
    before = queries.health(seeded)["due_fixtures"]
    seeded.execute("UPDATE football.fixtures SET next_due_at = now() - interval '40 hours' WHERE season_id = 1002")
    seeded.execute("UPDATE etl.chunks SET last_collected_at = now() - interval '45 hours' WHERE season_id = 1002")
    found = {row["chunk_id"]: row for row in queries.coverage(seeded)}["1_1002"]
    assert (found["due_fixtures"], found["stale"]) == (40, True)
    chunk = queries.chunk(seeded, 1, 1002)
    assert chunk is not None
    assert chunk["due_fixtures"] == 40
    assert queries.health(seeded)["due_fixtures"] == before + 40
    assert not {row["chunk_id"]: row for row in queries.coverage(seeded, stale_hours=42)}["1_1002"]["stale"]
    seeded.execute("UPDATE football.fixtures SET next_due_at = now() - interval '1 minute' WHERE season_id = 1002")
    assert not {row["chunk_id"]: row for row in queries.coverage(seeded)}["1_1002"]["stale"]


def test_nobody_watching_is_no_good_news(warehouse: Warehouse) -> None:
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    warehouse.execute(
        "INSERT INTO etl.etl_executions (execution_id, status, started_at, finished_at)"
        " VALUES ('etl_1', 'COMPLETED', %(at)s, %(at)s)",
        {"at": now - timedelta(hours=2)},
    )
    found = queries.health(warehouse, now=now)
    assert (found["overall"], found["reasons"]) == ("attention", ["etl_watch has never looked: is it paused?"])
    dispatch.check_and_notify(warehouse, Thresholds(), deliver=lambda alerts: Delivery(), now=now)
    assert queries.health(warehouse, now=now)["overall"] == "ok"
    found = queries.health(warehouse, now=now + timedelta(hours=1))
    assert found["reasons"] == ["etl_watch has not looked since 2026-11-20 12:00 UTC"]


def test_what_is_suspected_to_lack_data_shows_in_the_overall_state_coverage_and_season(warehouse: Warehouse) -> None:
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    warehouse.execute(
        "INSERT INTO etl.etl_executions (execution_id, status, started_at, finished_at)"
        " VALUES ('etl_1', 'COMPLETED', %(at)s, %(at)s)",
        {"at": now},
    )
    warehouse.execute(
        "INSERT INTO etl.chunks (league_id, season_id, doubtful_indexes, index_suspected_at)"
        " VALUES (8, 1, 0, NULL), (8, 2, 1, %(at)s)",
        {"at": now},
    )
    warehouse.execute(
        "INSERT INTO football.fixtures (id, league_id, season_id, state_id, suspected_sections, suspected_at,"
        " held_reads) VALUES (1, 8, 1, NULL, 'scores', %(at)s, 1), (2, 8, 1, 1, 'participants', %(at)s, 1),"
        " (3, 8, 1, 5, NULL, NULL, 0)",
        {"at": now},
    )
    found = queries.health(warehouse, now=now)
    assert (found["overall"], found["suspected_fixtures"], found["suspected_indexes"]) == ("attention", 1, 1)
    assert found["reasons"] == [
        "1 season whose index lists too little, nothing or other seasons (read again before it is believed)",
        "1 fixture came without expected data (read again before that is believed)",
    ]
    seasons = {row["season_id"]: row for row in queries.coverage(warehouse, now=now)}
    assert (seasons[1]["suspected_fixtures"], seasons[1]["index_suspected_at"]) == (1, None)
    assert (seasons[2]["suspected_fixtures"], seasons[2]["index_suspected_at"]) == (0, now.isoformat())
    season = queries.chunk(warehouse, 8, 1, now=now)
    assert season is not None
    assert {row["fixture_id"]: row["last_error"] for row in season["fixtures"]} == {
        1: "came without scores",
        2: "came without participants",
    }
