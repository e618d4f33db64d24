"""The route files of docs/guides/routes.md, each run against a server that plays its API."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest

from sportmonks.routes.parse import parse_route
from sportmonks.routes.spec import Route
from tests.harness.paths import REPO
from tests.harness.shape_server import Answer, Play, Request, ShapeServer
from tests.routes.conftest import Collect
from tests.routes.shapes import code_hosts, offices, open_data, shops
from tests.routes.shapes.world import COUNT, PASSWORD, Shape, at

Conn = psycopg.Connection[Any]
SHAPES = {shape.name: shape for module in (code_hosts, shops, open_data, offices) for shape in module.SHAPES}
GUIDE = (REPO / "docs" / "guides" / "routes.md").read_text(encoding="utf-8")
DECEMBER = {"date_from": "2025-12-01", "date_to": "2025-12-31"}


def documented() -> dict[str, list[str]]:
    """The route files of the guide by the heading above them."""
    part = GUIDE.partition("## APIs by name")[2].partition("\n## ")[0]
    sections = part.split("\n### ")[1:]
    return {one.partition("\n")[0]: re.findall(r"```yaml\n(.*?)```", one, re.S) for one in sections}


FILES = documented()


def guarded(shape: Shape) -> Play:
    """The API behind its authentication."""
    play = shape.start()

    def answer(request: Request) -> Answer:
        wrong = shape.needs(request)
        return Answer({"message": wrong}, 401) if wrong else play(request)

    return answer


def read(text: str) -> Route:
    # The only thing that differs from the guide: the address of the token is that of the test's server.
    return parse_route(re.sub(r"https://(login\S+?/TENANT|oauth2\.googleapis\.com)", "", text))


def test_each_api_of_the_table_is_played() -> None:
    anchors = re.findall(r"^\| \[.+?\]\(#(.+?)\)", GUIDE, re.M)
    assert [name.lower().replace(" ", "-") for name in FILES] == anchors
    assert FILES.keys() == SHAPES.keys()
    assert len(FILES) == 15


@pytest.mark.parametrize("name", SHAPES)
def test_the_documented_file_collects_everything(
    play: Callable[[Play], ShapeServer],
    collect: Collect,
    warehouse: Conn,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    shape = SHAPES[name]
    caplog.set_level("DEBUG")
    server = play(guarded(shape))
    route = read(FILES[name][0])
    days = DECEMBER if route.period else {}
    access: dict[str, Any] = {"login": shape.login, "password": PASSWORD, "extra": shape.extra}
    summary = collect(route, server, **access, prefix=shape.prefix, today=date(2025, 12, 31), **days)
    assert (summary["inserted"], summary["failed"], summary["undated"]) == (shape.records, 0, 0)
    assert (summary["end"], summary["unproven"], summary["out_of_range"]) == (shape.end, 0, 0)
    table = f"raw.{route.table}"
    assert warehouse.execute(f"SELECT count(*), count(DISTINCT record_key) FROM {table}").fetchone() == (COUNT, COUNT)
    if route.date_field:
        dates = warehouse.execute(f"SELECT DISTINCT reference_date FROM {table} ORDER BY 1").fetchall()
        assert (dates[0][0], dates[-1][0]) == (at(0).date(), at(COUNT - 1).date())
    assert PASSWORD not in caplog.text
    assert "token-number" not in caplog.text


def test_the_messages_behind_the_ids(play: Callable[[Play], ShapeServer], collect: Collect, warehouse: Conn) -> None:
    """One call for each record of another route."""
    ids, messages = (read(text) for text in FILES["Gmail"])
    server = play(guarded(SHAPES["Gmail"]))
    shape = SHAPES["Gmail"]
    access: dict[str, Any] = {
        "login": shape.login, "password": PASSWORD, "extra": shape.extra, "prefix": shape.prefix,
    }  # fmt: skip
    collect(ids, server, **access, date_from="2025-12-01", date_to="2025-12-03")
    summary = collect(messages, server, **access)
    assert (summary["listings"], summary["inserted"], summary["undated"]) == (24, 24, 0)
    row = warehouse.execute(
        "SELECT request, reference_date FROM raw.client_acme_gmail_messages_latest WHERE record_key = 'm0'"
    ).fetchone()
    assert row == ({"message_id": "m0"}, at(0).date())


def test_typed_columns_of_the_shop(play: Callable[[Play], ShapeServer], collect: Collect, warehouse: Conn) -> None:
    shape = SHAPES["Shopify"]
    collect(read(FILES["Shopify"][0]), play(guarded(shape)), password=PASSWORD, prefix=shape.prefix, **DECEMBER)
    rows = warehouse.execute(
        "SELECT total_price, email, ordered_at FROM raw.client_acme_shopify_orders_latest"
        " WHERE record_key IN ('0', '7') ORDER BY id"
    ).fetchall()
    assert [str(price) for price, _, _ in rows] == ["None", "10.50"]  # what does not fit is null
    assert rows[1][1] == "7@example.com"
    assert rows[0][2].isoformat() == "2025-12-01T06:00:00+00:00"
