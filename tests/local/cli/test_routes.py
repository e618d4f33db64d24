"""`./etl routes`: what it prints and its exit codes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from local.errors import UsageError
from tests.harness.routes import BASE
from tests.local.cli.conftest import routes_command


@pytest.fixture
def etl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, warehouse_dsn: str) -> Any:
    """``etl("check")`` -> exit code, over a folder of routes of the test's own."""
    from sportmonks.routes import parse

    monkeypatch.setattr(parse, "ROUTES_DIR", tmp_path)
    stack = SimpleNamespace(settings=SimpleNamespace(warehouse=warehouse_dsn), warehouse=warehouse_dsn)
    return routes_command(stack)


def test_check_list_create_show(
    etl: Any, tmp_path: Path, warehouse: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "orders.yaml").write_text(BASE)
    assert etl("check") == 0
    assert "orders.yaml: DAG raw_shop_orders, table raw.client_shop_orders" in capsys.readouterr().out
    assert etl("list") == 0
    assert "no table yet" in capsys.readouterr().out
    assert etl("create") == 0
    assert "raw.client_shop_orders" in capsys.readouterr().out
    assert warehouse.execute("SELECT count(*) FROM raw.client_shop_orders").fetchone() == (0,)
    assert etl("list") == 0
    assert "no table yet" not in capsys.readouterr().out
    for name in ("raw_shop_orders", "raw.client_shop_orders", "orders", "orders.yaml", "shop/orders"):
        assert etl("show", name) == 0
        assert "/api/page" in capsys.readouterr().out
    with pytest.raises(UsageError, match="nothing is no route"):
        etl("show", "nothing")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_days_end_with_today_of_the_zone(
    etl: Any, tmp_path: Path, warehouse: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str], zone: str
) -> None:
    """At any time, it is another day than that of UTC in one of them."""
    period = f"date_field: day\nperiod: {{date_from: from, date_to: to, timezone: {zone}}}\n"
    (tmp_path / "orders.yaml").write_text(BASE + period)
    before = datetime.now(ZoneInfo(zone)).date()
    assert etl("create") == 0
    capsys.readouterr()
    assert etl("show", "orders") == 0
    after = datetime.now(ZoneInfo(zone)).date()
    shown = capsys.readouterr().out
    assert any(f" to {day}" in shown for day in (before, after))


def test_a_bad_file_is_reported_and_the_others_are_processed(
    etl: Any, tmp_path: Path, warehouse: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "orders.yaml").write_text(BASE)
    (tmp_path / "bad.yaml").write_text("client: a\nrout: b\n")
    for action in ("check", "list", "create"):
        assert etl(action) == 1
        output = capsys.readouterr()
        assert "bad.yaml, line 2: there is no key rout. Did you mean route?" in output.err
        assert "raw_shop_orders" in output.out or "raw.client_shop_orders" in output.out
    assert warehouse.execute("SELECT count(*) FROM raw.client_shop_orders").fetchone() == (0,)
    assert etl("check", str(tmp_path / "orders.yaml")) == 0
