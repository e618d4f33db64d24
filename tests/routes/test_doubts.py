"""Days of which a listing may be short: the summary says why, and the watermark stays before them."""

from __future__ import annotations

import logging
from datetime import date, timedelta

import pytest

from sportmonks.errors import TransientApiError
from sportmonks.routes.summary import summary_text
from tests.harness.routes import TEN_DAYS, a_route
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Conn, Server


def test_the_watermark_stays_before_days_that_may_be_short(
    play: Server, collect: Collect, warehouse: Conn, caplog: pytest.LogCaptureFixture
) -> None:
    """Three windows; in the second one the API counts more than it shows."""

    def answers(request: Request) -> Answer:
        day, number = request.query["from"], int(request.query.get("page", 1))
        rows = [{"id": f"{day} {n}", "day": day} for n in range(2)] if number == 1 else []
        return Answer({"data": rows, "total": 65 if day == "2025-12-12" else 2})

    caplog.set_level(logging.WARNING)
    route = a_route(f"{TEN_DAYS}paging: {{style: page, size_parameter: size, size: 2, total: total}}")
    summary = collect(route, play(answers))
    assert (summary["inserted"], summary["end"], summary["unproven"]) == (6, "total (2), empty_page (1)", 1)
    assert "the API counts 65 records, and 2 came" in caplog.text
    assert summary["doubts"] == ["2025-12-12 to 2025-12-21: the API counts 65 records, and 2 came"]
    assert f"Doubt: {summary['doubts'][0]}" in summary_text(summary)
    stored = "SELECT ended_by, unproven, doubts FROM etl.raw_route_status"
    assert warehouse.execute(stored).fetchone() == ("total (2), empty_page (1)", 1, summary["doubts"])
    mark = "SELECT etl.collector_watermark('raw_shop_orders') ->> 'date_to'"
    assert warehouse.execute(mark).fetchone() == ("2025-12-11",)
    # The next run begins there; once the window is complete, the watermark moves on.
    complete = play(lambda request: Answer({"data": [{"id": 1, "day": request.query["from"]}], "total": 1}))
    assert collect(route, complete, execution_id="etl_2")["period"] == "2025-12-09 to 2025-12-31"
    assert warehouse.execute(mark).fetchone() == ("2025-12-31",)
    assert warehouse.execute(stored).fetchone() == ("total (3)", 0, None)
    # It stays where it is as long as the first window of a run is short.
    short = play(lambda request: Answer({"data": [], "total": 9}))
    collect(route, short, execution_id="etl_3", today=date(2026, 1, 5))
    assert warehouse.execute(mark).fetchone() == ("2025-12-31",)
    # And an answer with an error in it is no empty day.
    failing = play(lambda request: Answer({"data": [], "errors": {"field": "unknown"}}))
    with pytest.raises(TransientApiError, match="the answer holds an error"):
        collect(route, failing, execution_id="etl_4", today=date(2026, 1, 6))
    assert warehouse.execute(mark).fetchone() == ("2025-12-31",)


@pytest.mark.parametrize(
    ("days", "unproven"),
    [
        (["2019-01-01", "2020-01-01"], 1),
        (["2019-01-01", "2025-12-15"], 0),
        (["2025-12-01", "2026-01-01"], 0),  # by the days of another time zone
        ([], 0),
    ],
)
def test_a_listing_of_which_no_record_is_of_its_days(
    play: Server, read_all: Collect, days: list[str], unproven: int
) -> None:
    """The API does not know the period's names, or the date is another one."""
    rows = [{"id": n, "day": day} for n, day in enumerate(days)]
    route = a_route("paging: none\ndate_field: day\nperiod: {date_from: from, date_to: to, first_days: 29}")
    summary = read_all(route, play(lambda _: Answer({"data": rows})), today=date(2025, 12, 31))
    assert summary["unproven"] == unproven


@pytest.mark.parametrize(
    ("keys", "left_out", "unproven", "mark"),
    [
        ("", "last", 1, "2025-12-04"),
        ("", "first", 1, "2025-11-30"),
        ("", "", 0, "2025-12-31"),
        ("to_exclusive: true, ", "last", 0, "2025-12-31"),
        ("from_exclusive: true, ", "first", 0, "2025-12-31"),
    ],
)
def test_an_end_that_the_api_excludes(
    play: Server, collect: Collect, warehouse: Conn, keys: str, left_out: str, unproven: int, mark: str
) -> None:
    """Windows of five days, each without its last or first day: the route does not say so, and the days do."""

    def answers(request: Request) -> Answer:
        first, last = (date.fromisoformat(request.query[name]) for name in ("from", "to"))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        shown = {"last": days[:-1], "first": days[1:], "": days}[left_out]
        return Answer({"data": [{"id": str(day), "day": str(day)} for day in shown]})

    keys = f"{keys}date_from: from, date_to: to, max_days: 5, first_days: 30"
    route = a_route(f"paging: none\ndate_field: day\nperiod: {{{keys}}}")
    summary = collect(route, play(answers), today=date(2025, 12, 31))
    assert summary["unproven"] == unproven
    found = warehouse.execute("SELECT etl.collector_watermark('raw_shop_orders') ->> 'date_to'").fetchone()
    assert found == (mark if mark > "2025-12" else None,)
