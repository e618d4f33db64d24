"""Route files: what is shipped parses, what is wrong is named with file, line and key, and leaves the others alone."""

from __future__ import annotations

import random
import string
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sportmonks.errors import ConfigurationError
from sportmonks.routes.names import LONGEST, name_part, run_name, table_name
from sportmonks.routes.parse import load_routes, parse_route

GOOD = """\
client: shop
route: orders
connection: shop_api
path: /orders
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_route(text, file="x.yaml")
    return str(caught.value).splitlines()


def test_every_shipped_route_is_good() -> None:
    routes, problems = load_routes()
    assert problems == []
    named = {route.name: route for route in routes}
    assert {"standings", "topscorers", "transfers", "squads", "livescores", "fixtures_between"} <= {
        route.route for route in routes if route.api == "sportmonks"
    }
    transfers, between = named["raw_sportmonks_transfers"], named["raw_sportmonks_fixtures_between"]
    assert transfers.period is not None
    assert between.period is not None
    assert (transfers.period.max_days, between.period.max_days) == (31, 100)
    assert transfers.paging.more == ("pagination", "has_more")
    shop = named["raw_2151_orders"]
    assert (shop.api, shop.table, shop.paging.style, shop.schedule) == ("rest", "client_2151_orders", "next", None)
    assert (shop.retry_max, shop.batch_export) == (5, 50)


def test_defaults() -> None:
    route = parse_route(GOOD)
    assert (route.retry_max, route.batch_export, route.schedule, route.records) == (5, 50, None, ("data",))
    assert route.paging.style == "none"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("client: [\n", "x.yaml, line 2: not valid YAML"),
        ("- a\n", "x.yaml: expected keys and values."),
        ("", "x.yaml: expected keys and values."),
        (f"{GOOD}rcords: a\n", "x.yaml, line 5: there is no key rcords. Did you mean records?"),
        (f"{GOOD}path: /b\n", "x.yaml, line 5: path is given twice."),
        ("client: a\nconnection: c\npath: /x\n", "x.yaml: route is missing."),
        (f"{GOOD}retry_max: many\n", "x.yaml, line 5: retry_max is 'many'. Write a whole number from 0 to 50."),
        (f"{GOOD}batch_export: 0\n", "x.yaml, line 5: batch_export is 0."),
        (f"{GOOD}schedule: daily\n", "x.yaml, line 5: schedule is 'daily'."),
        (f"{GOOD}schedule: '0 25 * * *'\n", "x.yaml, line 5: schedule is '0 25 * * *'."),
        (f"{GOOD}start_date: soon\n", "x.yaml, line 5: start_date is 'soon'. Write a date as YYYY-MM-DD."),
        (f"{GOOD}records: a..b\n", "x.yaml, line 5: records is 'a..b'."),
        (
            f"{GOOD}query: {{api_token: abc}}\n",
            "x.yaml, line 5: query holds api_token. Keys belong to the connection's",
        ),
        (f"{GOOD}headers: {{X-Api-Key: abc}}\n", "x.yaml, line 5: headers holds X-Api-Key. Keys belong to"),
        (f"{GOOD}query: {{key: abc}}\n", "x.yaml, line 5: query holds key. Keys belong to"),
        (f"{GOOD}charset: klingon\n", "x.yaml, line 5: charset is 'klingon', which is unknown."),
        (
            f"{GOOD}period: {{date_from: a, date_to: b, format: week, to_exclusive: true}}\n",
            "x.yaml, line 5: period.format is week, beside an end that is excluded.",
        ),
        (f"{GOOD}query: [a]\n", "x.yaml, line 5: query is ['a']."),
        (f"{GOOD}paging:\n  style: pages\n", "x.yaml, line 6: paging.style is 'pages'. Did you mean page?"),
        (f"{GOOD}paging:\n  style: cursor\n", "x.yaml: paging.next is missing."),
        (f"{GOOD}paging: {{style: page, size: 10}}\n", "x.yaml, line 5: paging.size has no size_parameter."),
        (f"{GOOD}period: {{date_to: a}}\n", "x.yaml: period.date_from is missing."),
        (f"{GOOD}period: {{date_from: a, date_to: b, max_dys: 3}}\n", "Did you mean max_days?"),
        (f"{GOOD}period: 31\n", "x.yaml, line 5: period is not a mapping."),
        (f"{GOOD}for_each: seasons\n", "x.yaml, line 5: for_each is 'seasons'."),
        (GOOD.replace("/orders", "/orders/{id}"), "x.yaml, line 4: path uses {id}, which nothing gives."),
        (GOOD.replace("/orders", "https://x.y/orders?a=1"), "x.yaml, line 4: path is 'https://x.y/orders?a=1'."),
        (GOOD.replace("shop\n", "'+++'\n"), "x.yaml, line 1: client is '+++'."),
        (f"{GOOD}undated: perhaps\n", "x.yaml, line 5: undated is 'perhaps'. Choose one of: keep, drop."),
        (f"{GOOD}key: [[a]]\n", "x.yaml, line 5: key is [['a']]."),
        (f"{GOOD}when: !!python/object/apply:os.getcwd []\n", "x.yaml, line 5: not valid YAML"),
    ],
)
def test_a_mistake_is_named(text: str, expected: str) -> None:
    assert any(expected in line for line in mistakes(text)), mistakes(text)


def test_all_mistakes_are_named_at_once() -> None:
    found = mistakes(f"{GOOD}retry_max: -1\nbatch_export: x\nspeed: 3\n")
    assert [line.split(":")[0] for line in found] == ["x.yaml, line 7", "x.yaml, line 5", "x.yaml, line 6"]


def test_a_bad_file_leaves_the_others_alone(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD.replace("client: shop", "client: Shop!"))
    (tmp_path / "c.yml").write_text(GOOD.replace("orders", "c"))
    (tmp_path / "d.yaml").write_bytes(b"client: \xff\xfe")
    (tmp_path / "e.yaml").write_text("client: x\n")
    (tmp_path / "notes.txt").write_text("no route")
    routes, problems = load_routes(tmp_path)
    assert [route.name for route in routes] == ["raw_shop_orders", "raw_shop_c"]
    assert [problem.file for problem in problems] == ["b.yaml", "d.yaml", "e.yaml"]
    assert "would share the table raw.client_shop_orders with a.yaml" in problems[0].message
    assert [problem.name for problem in problems] == ["raw_problem_b", "raw_problem_d", "raw_problem_e"]


def test_names_agree_with_postgresql(warehouse: psycopg.Connection[Any]) -> None:
    """Python names the DAG and the statements, SQL the table: they must never disagree."""
    chance = random.Random(1)
    letters = string.ascii_letters + string.digits + "_- ./éßÇİ日'\""
    pairs = [("2151", "pedidos"), ("a" * 40, "b" * 40), ("Ünïcode", "ITEM"), ("a_b", "c"), ("x" * 23, "y" * 15)]
    for _ in range(300):
        pair = tuple("".join(chance.choices(letters, k=chance.randint(1, 40))) for _ in range(2))
        if all(name_part(part) for part in pair):
            pairs.append(pair)  # type: ignore[arg-type]
    for client, route in pairs:
        row = warehouse.execute("SELECT etl.raw_table_name(%s, %s)", (client, route)).fetchone()
        assert row == (table_name(client, route),), (client, route)
        assert len(table_name(client, route)) <= LONGEST
    assert run_name("2151", "pedidos") == "raw_2151_pedidos"
    with pytest.raises(psycopg.errors.RaiseException, match="has no letter or digit"):
        warehouse.execute("SELECT etl.raw_table_name('x', '+')")
    with pytest.raises(ConfigurationError, match="has no letter or digit"):
        table_name("x", "+")


def test_a_date_written_with_a_time() -> None:
    assert parse_route(f"{GOOD}start_date: 2025-01-02 00:00:00\n").start_date == date(2025, 1, 2)
