"""`./etl dashboard` against a seeded warehouse."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.cli.commands.dashboard import configured_includes
from local.cli.terminal_dashboard import clean, duration
from sportmonks.config.catalog import Catalog, LeagueChoice
from tests.harness.paths import REPO


@pytest.fixture
def etl(seeded: psycopg.Connection[Any], warehouse_dsn: str, tmp_path: Path) -> Any:
    def call(*arguments: str, code: int = 0) -> str:
        env = {
            **os.environ,
            "SUPABASE_CONNECTION_STRING": _url(warehouse_dsn),
            "ETL_HOME": str(tmp_path),
            "COLUMNS": "120",
        }
        command = [str(REPO / "etl"), "dashboard", *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return call


def _url(dsn: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return f"postgresql://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def test_every_section(etl: Any, seeded: psycopg.Connection[Any], tmp_path: Path) -> None:
    text = etl()
    assert "Something is wrong" in text
    assert "API budget" in text
    execution = seeded.execute(
        "SELECT execution_id FROM etl.etl_executions WHERE status = 'FAILED' ORDER BY started_at DESC"
    ).fetchone()
    assert execution is not None
    assert execution[0] in text
    detail = etl("--execution-id", execution[0])
    assert "goals_add_up" in detail
    lines = etl("--logs", "--limit", "7", "--level", "error").splitlines()
    assert len(lines) == 7
    assert all(" ERROR " in line or " CRITICAL " in line for line in lines)
    assert len(etl("--logs", "--limit", "3", "--text", "held back").splitlines()) == 3
    assert "fixtures_per_second" in etl("--metrics", "--hours", "6")
    assert "QUALITY_CHECKS Serie A 2025/2026" in etl("--alerts")
    file = tmp_path / "everything.json"
    etl("--export", str(file))
    assert json.loads(file.read_text())["health"]["total_executions"] == 60


def test_runs_of_the_catalog_and_of_routes_are_among_the_others(etl: Any, seeded: psycopg.Connection[Any]) -> None:
    seeded.execute(
        "SELECT etl.record_collector_run('raw_shop_orders', 'etl_route', 'failed', 9, 4, p_error_message => 'No')"
    )
    seeded.execute("INSERT INTO etl.run_origins VALUES ('etl_route', 'raw_shop_orders', 'manual__7', 'manual', 'anna')")
    (line,) = [line for line in etl().splitlines() if "etl_route" in line]
    assert "raw_shop_orders" in line
    assert "manual by anna" in line
    assert "9 rows" in line
    detail = etl("--execution-id", "etl_route")
    assert "manual__7" in detail
    assert "9 read, 4 new" in detail
    rows = json.loads(etl("-o", "json"))["executions"]
    assert rows[0]["kind"] == "route"
    assert all(row.keys() >= {"league_id", "total_fixtures", "cause"} for row in rows)


def test_a_failed_reread_is_named_beside_the_state(etl: Any, seeded: psycopg.Connection[Any]) -> None:
    seeded.execute("UPDATE etl.chunks SET status = 'FAILED', error_message = 'No answer.' WHERE season_id = 1003")
    (line,) = [line for line in etl("--coverage").splitlines() if " 1003 " in line]
    assert "complete" in line
    assert "last re-read failed" in line
    detail = etl("--season", "1003")
    assert "complete, but its last re-read failed" in detail
    assert "No answer." in detail
    seeded.execute("UPDATE etl.etl_alerts SET status = 'RESOLVED', resolved_at = now()")
    assert "1 season failed in its newest run and lacks data" in etl("--fail-on", "critical", code=4)
    seeded.execute("UPDATE etl.chunks SET status = 'COMPLETED' WHERE season_id <> 1003 AND status = 'FAILED'")
    etl("--fail-on", "critical")
    assert "1 season with nothing missing failed" in etl("--fail-on", "warning", code=4)


def test_mistakes_have_messages(etl: Any) -> None:
    assert "there is no execution nope" in etl("--execution-id", "nope", code=1)
    assert "choose one of DEBUG" in etl("--logs", "--level", "LOUD", code=2)
    assert "--hours 0 is not a number" in etl("--metrics", "--hours", "0", code=2)
    assert "there is no folder" in etl("--export", "/no/such/folder/x.json", code=2)


def test_stored_text_cannot_steer_the_terminal() -> None:
    assert clean("\x1b]0;owned\x07[red]x[/]\r\nend").plain == " ]0;owned [red]x[/] \nend"
    assert clean("a\u202ebc").plain == "a bc"
    assert [duration(s) for s in (None, 0.25, 42, 754, 7_260)] == ["–", "0.2s", "42s", "12m 34s", "2h 01m"]


def test_the_rules_know_the_includes_that_the_manifest_has() -> None:
    own = (8, LeagueChoice(id=564, includes=("odds", "events")))
    catalog = Catalog(leagues=own, includes=("events", "scores"))
    assert configured_includes(catalog, "") == ["events", "scores", "odds"]
    assert configured_includes(catalog, "participants;lineups") == ["participants", "lineups", "odds", "events"]
    assert configured_includes(Catalog(includes=("scores",)), "") == ["scores"]
