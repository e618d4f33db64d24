"""The Grafana dashboard: every query runs as an account that only reads, and brings what its panel shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.harness.accounts import role_logins
from tests.harness.dashboard_seed import seeded  # noqa: F401 (a fixture)
from tests.harness.paths import REPO

DASHBOARD = json.loads((REPO / "deploy" / "grafana" / "sportmonks-etl.json").read_text(encoding="utf-8"))
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
RANGE = r"\1 BETWEEN now() - interval '7 days' AND now()"


@pytest.fixture
def reader(seeded: psycopg.Connection[Any], warehouse_dsn: str) -> Iterator[psycopg.Connection[Any]]:  # noqa: F811
    # The seed counts calls for collectors only.
    seeded.execute("UPDATE etl.etl_executions SET api_calls = 9, failed_calls = 1")
    with role_logins(warehouse_dsn) as login, psycopg.connect(login("reader"), row_factory=dict_row) as conn:
        yield conn


def expanded(query: str) -> str:
    """The query as Grafana sends it: its macro replaced by the chosen time."""
    found = re.sub(r"\$__timeFilter\((.*?)\)", RANGE, query)
    assert "$" not in found, f"a macro that this test does not know: {found}"
    return found


def test_every_query_brings_rows_of_the_shape_that_its_panel_needs(reader: psycopg.Connection[Any]) -> None:
    for title, panel in PANELS.items():
        (target,) = panel["targets"]
        rows = reader.execute(expanded(target["rawSql"]).encode()).fetchall()
        assert rows, f"{title}: no rows"
        if target["format"] == "time_series":
            times = [row["time"] for row in rows]
            assert all(isinstance(time, datetime) for time in times), title
            assert times == sorted(times), f"{title}: Grafana needs the rows in the order of time"
            values = [value for row in rows for name, value in row.items() if name not in ("time", "metric")]
            assert any(values), f"{title}: nothing but nulls and zeros"
        elif panel["type"] == "stat":
            assert len(rows) == 1, title
            assert None not in rows[0].values(), title


def test_figures_are_those_of_the_warehouse(reader: psycopg.Connection[Any]) -> None:
    def first(title: str) -> dict[str, Any]:
        found = reader.execute(expanded(PANELS[title]["targets"][0]["rawSql"]).encode()).fetchone()
        assert found is not None
        return found

    assert first("Open alerts") == {"critical": 2, "others": 1}
    shares = reader.execute(PANELS["Calls left"]["targets"][0]["rawSql"].encode()).fetchall()
    assert all(0 <= row["value"] <= 1 for row in shares)
    assert {row["metric"].partition(" ")[0] for row in shares} == {"sportmonks_api"}
    assert first("Coverage")["seasons"] == 6


def test_panels_lie_beside_each_other_and_name_one_source() -> None:
    taken: set[tuple[int, int]] = set()
    for title, panel in PANELS.items():
        place = panel["gridPos"]
        columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        cells = {(x, y) for x in columns for y in rows}
        assert max(columns) < 24, title
        assert not cells & taken, f"{title} lies on another panel"
        taken |= cells
        assert panel["description"], title
        assert panel["datasource"] == panel["targets"][0]["datasource"], title
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(PANELS) == len(DASHBOARD["panels"])
