"""Routes over real HTTP into a real PostgreSQL: styles of paging, figures, periods, versions of a record."""

from __future__ import annotations

from typing import Any

import pytest

from sportmonks.errors import (
    ConfigurationError,
)
from tests.harness.rest_server import RestServer, order
from tests.harness.routes import BASE, figures, make_route, stored_ids
from tests.routes.conftest import STYLES, Conn, Run


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("total", [0, 1, 200, 950])
def test_every_style_brings_every_record(run: Run, server: RestServer, warehouse: Conn, style: str, total: int) -> None:
    server.total = total
    route = make_route(STYLES[style])
    summary = run(route)
    assert stored_ids(warehouse) == list(range(1, total + 1))
    assert figures(summary, "records", "inserted", "duplicates", "failed") == (total, total, 0, 0)
    again = run(route)
    assert figures(again, "records", "inserted", "duplicates") == (total, 0, total)
    assert stored_ids(warehouse) == list(range(1, total + 1))


def test_the_key_travels_in_a_header_alone(run: Run, server: RestServer, warehouse: Conn) -> None:
    run(make_route(STYLES["next"]))
    assert len(server.calls) == 10
    for _, query, headers in server.calls:
        assert headers["Authorization"] == "Bearer S3cr3tKey"
        assert "S3cr3tKey" not in str(query)  # not even where the API's own links hold it
    leaks = warehouse.execute("SELECT count(*) FROM etl.route_progress WHERE page_state::text LIKE '%S3cr3tKey%'")
    assert leaks.fetchone() == (0,)


@pytest.mark.parametrize(
    ("auth", "header", "value"), [("X-Api-Key", "X-Api-Key", "S3cr3tKey"), ("none", "Authorization", None)]
)
def test_other_ways_to_authenticate(run: Run, server: RestServer, auth: str, header: str, value: str | None) -> None:
    run(make_route(f"auth: {auth}"))
    assert server.calls[0][2].get(header) == value


def test_records_outside_the_period_and_without_a_date(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.extra[2] = [{"id": 5001, "created": None}, {"id": 5002, "created": "0000-00-00"}, {"id": 5003}]
    server.total = 280
    period = "date_field: created\nperiod: {date_from: from, date_to: to}"
    route = make_route(period)
    summary = run(route, date_from="2025-01-03", date_to="2025-01-05")
    assert server.calls[0][1]["from"] == "2025-01-03"
    assert server.calls[0][1]["to"] == "2025-01-05"
    assert figures(summary, "records", "inserted", "out_of_range", "undated", "period") == (
        283,
        33,
        250,
        3,
        "2025-01-03 to 2025-01-05",
    )
    days = warehouse.execute(
        "SELECT reference_date::text, count(*) FROM raw.client_shop_orders GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert days == [("2025-01-03", 10), ("2025-01-04", 10), ("2025-01-05", 10), (None, 3)]
    strict = make_route(f"{period}\nundated: drop", BASE.replace("orders", "strict"))
    assert figures(run(strict, date_from="2025-01-03", date_to="2025-01-05"), "inserted", "undated") == (30, 3)


def test_what_is_no_record_is_counted_and_kept_aside(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.extra[1] = ["text", 7, None, [1], {"id": 9001, "huge": 10**6}]
    route = make_route("hash_without: [huge]")
    summary = run(route)
    assert figures(summary, "records", "inserted", "failed") == (1005, 1001, 4)
    kept = warehouse.execute("SELECT reason, record FROM etl.route_rejects ORDER BY reject_id").fetchall()
    assert kept == [("not an object", text) for text in ('"text"', "7", "null", "[1]")]


def test_a_record_that_postgresql_refuses_costs_only_itself(run: Run, server: RestServer, warehouse: Conn) -> None:
    """A number beyond numeric; and NUL, the one character that jsonb cannot hold, is replaced."""

    def answer(style: str, number: int, rows: list[Any]) -> Any:
        body = (
            b'{"data": [{"id": 1}, {"id": 2, "n": 1e-20000}, {"id": 3, "s": "a\\u0000b\\\\u0000"}], "pagination": {}}'
        )
        return 200, {}, body

    server._answer = answer  # type: ignore[method-assign]
    route = make_route()
    summary = run(route)
    assert stored_ids(warehouse) == [1, 3]
    assert figures(summary, "records", "inserted", "failed", "duplicates") == (3, 2, 1, 0)
    assert warehouse.execute("SELECT payload ->> 's' FROM raw.client_shop_orders ORDER BY id DESC").fetchone() == (
        "a�b\\u0000",
    )


def test_keys_in_another_order_are_the_same_content(run: Run, server: RestServer, warehouse: Conn) -> None:
    route = make_route()
    run(route)
    server.record = lambda number: dict(reversed(order(number).items()))
    assert figures(run(route), "inserted", "duplicates") == (0, 1000)


def test_newest_version_of_a_record(run: Run, server: RestServer, warehouse: Conn) -> None:
    """A -> B -> A: the newest is A again, though its row is older than B's; an unchanged run writes nothing."""
    route = make_route("key: [id]")
    server.total = 30

    def latest() -> Any:
        return warehouse.execute(
            "SELECT record_key, payload ->> 'v' FROM raw.client_shop_orders_latest WHERE record_key = '7'"
        ).fetchone()

    for version, expected in (
        ("A", (30, 0, 0)),
        ("B", (30, 0, 0)),
        ("B", (0, 30, 0)),
        ("A", (0, 30, 30)),
        ("A", (0, 30, 0)),
    ):
        server.record = lambda number, v=version: {"id": number + 1, "v": v}  # type: ignore[misc]
        summary = run(route)
        assert figures(summary, "inserted", "duplicates", "revived") == expected
        assert latest() == ("7", version)
    assert warehouse.execute("SELECT count(*) FROM raw.client_shop_orders").fetchone() == (60,)
    # Both versions in one answer: the later one counts.
    server.total = 0
    server.extra[1] = [{"id": 7, "v": "A"}, {"id": 7, "v": "C"}, {"id": 7, "v": "B"}]
    run(route)
    assert latest() == ("7", "B")


def test_windows_and_watermark(run: Run, server: RestServer, warehouse: Conn) -> None:
    from datetime import date

    server.total = 5
    route = make_route(
        "date_field: created\nperiod: {date_from: from, date_to: to, max_days: 31, first_days: 89, lookback_days: 3}"
    )
    summary = run(route, execution_id="a", today=date(2025, 3, 31))
    requested = [(query["from"], query["to"]) for _, query, _ in server.calls]
    assert requested == [("2025-01-01", "2025-01-31"), ("2025-02-01", "2025-03-03"), ("2025-03-04", "2025-03-31")]
    # This API ignores the days, and all of its records are within the period of the run.
    assert figures(summary, "listings", "pages", "inserted", "duplicates", "out_of_range") == (3, 3, 5, 10, 0)
    server.calls.clear()
    run(route, execution_id="b", today=date(2025, 4, 2))
    assert [(query["from"], query["to"]) for _, query, _ in server.calls] == [("2025-03-28", "2025-04-02")]
    # A backfill of the past does not move the watermark back, one beyond a gap does not move it on.
    for execution, first, last in (("c", "2024-01-01", "2024-01-31"), ("d", "2025-08-01", "2025-08-02")):
        run(route, execution_id=execution, date_from=first, date_to=last)
    assert warehouse.execute("SELECT etl.collector_watermark('raw_shop_orders')").fetchone() == (
        {"date_to": "2025-04-02"},
    )


def test_nonsense_is_refused_before_any_call(run: Run, server: RestServer) -> None:
    route = make_route("date_field: created\nperiod: {date_from: from, date_to: to}")
    with pytest.raises(ConfigurationError, match="date_from 2025-02-01 is after date_to 2025-01-01"):
        run(route, date_from="2025-02-01", date_to="2025-01-01")
    with pytest.raises(ConfigurationError, match="has no period"):
        run(make_route(), date_from="2025-02-01")
    assert server.calls == []


def test_batches_are_complete_pages(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.size, server.total = 10, 500
    route = make_route("batch_export: 50\npaging: {style: page, more: pagination.has_more}")
    run(route)
    sizes = warehouse.execute("SELECT count(*) FROM raw.client_shop_orders GROUP BY xmin ORDER BY 1").fetchall()
    assert sum(size for (size,) in sizes) == 500
    assert max(size for (size,) in sizes) <= 50
