"""How days are sent to an API: forms of a period, reports of months and weeks, one day or month a request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sportmonks.routes.period import Window, local_today, request_parameters
from sportmonks.routes.spec import PeriodSpec
from tests.harness.routes import a_route
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Conn, Server


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ({"format": "%Y-%m-%d"}, ("2025-03-29", "2025-03-30")),
        ({"format": "%Y-%m-%d", "from_exclusive": True}, ("2025-03-28", "2025-03-30")),
        ({"format": "iso", "timezone": "Europe/Berlin"}, ("2025-03-28T23:00:00Z", "2025-03-30T21:59:59Z")),
        ({"format": "iso", "from_exclusive": True}, ("2025-03-28T23:59:59Z", "2025-03-30T23:59:59Z")),
        ({"format": "epoch", "timezone": "America/New_York"}, ("1743220800", "1743393599")),
        ({"format": "epoch_ms"}, ("1743206400000", "1743379199999")),
        ({"format": "%Y-%m-%dT%H:%M:%S.%f"}, ("2025-03-29T00:00:00.000000", "2025-03-30T23:59:59.999999")),
        ({"format": "%d/%m/%Y"}, ("29/03/2025", "30/03/2025")),
        ({"format": "week"}, ("2025-W13", "2025-W13")),
        ({"format": "%Y-%m-%dT%H:%M:%S%z", "timezone": "Europe/Berlin"},
         ("2025-03-29T00:00:00+0100", "2025-03-30T23:59:59+0200")),
    ],
)  # fmt: skip
def test_forms_of_a_period(period: dict[str, Any], expected: tuple[str, str]) -> None:
    """Over the night in which summer time begins."""
    window = Window(date(2025, 3, 29), date(2025, 3, 30))
    assert tuple(request_parameters(PeriodSpec("a", "b", **period), window).values()) == expected
    assert request_parameters(PeriodSpec("a", **period), window) == {"a": expected[0]}


@pytest.mark.parametrize(
    ("form", "period", "sent", "first"),
    [
        ("%Y-%m", "max_days: 31", ["2025-11 2025-11", "2025-12 2025-12"], "2025-11-01"),
        ("%Y-%m", "to_exclusive: true", ["2025-11 2026-01"], "2025-11-01"),
        ("week", "max_days: 25", ["2025-W46 2025-W48", "2025-W49 2025-W51"], "2025-11-10"),
    ],
)
def test_a_report_of_months_or_weeks_is_stored_with_its_corrections(
    play: Server,
    collect: Collect,
    warehouse: Conn,
    form: str,
    period: str,
    sent: list[str],
    first: str,
) -> None:
    """Its records have the day on which their month begins, which may lie before the days of the run."""
    written = "%G-W%V" if form == "week" else form
    totals: dict[str, int] = {}

    def report(request: Request) -> Answer:
        begin, end = (request.query[name] for name in ("from", "to"))
        days = [date(2025, 11, 1) + timedelta(days=n) for n in range(61)]
        units = sorted({day.strftime(written) for day in days})
        inside = [one for one in units if begin <= one and (one < end if "exclusive" in period else one <= end)]
        return Answer({"data": [{"unit": one, "total": totals.get(one, 0)} for one in inside]})

    server = play(report)
    route = a_route(
        f"key: [unit]\ndate_field: unit\ndate_format: '{form}'\npaging: none\n"
        f"period: {{date_from: from, date_to: to, format: '{form}', first_days: 38, {period}}}\n"
    )
    summary = collect(route, server, today=date(2025, 12, 20))
    assert [" ".join(request.query[name] for name in ("from", "to")) for request in server.requests] == sent
    assert (summary["out_of_range"], summary["failed"]) == (0, 0)
    days = "SELECT min(reference_date), count(*) FROM raw.client_shop_orders"
    assert warehouse.execute(days).fetchone() == (date.fromisoformat(first), summary["records"])
    last = date(2025, 12, 20).strftime(written)
    totals[last] = 7
    corrected = collect(route, server, today=date(2025, 12, 20), execution_id="etl_2")
    assert (corrected["out_of_range"], corrected["inserted"]) == (0, 1)
    newest = "SELECT payload ->> 'total' FROM raw.client_shop_orders_latest WHERE record_key = %s"
    assert warehouse.execute(newest, (last,)).fetchone() == ("7",)


@pytest.mark.parametrize(
    ("form", "max_days", "units"),
    [
        ("%Y-%m", 31, ["2025-11", "2025-12"]),
        ("%Y-%m", 1, ["2025-11", "2025-12"]),
        ("week", 7, ["2025-W48", "2025-W49", "2025-W50", "2025-W51"]),
        ("date", 1, [f"2025-11-{day}" for day in range(28, 31)] + [f"2025-12-{day:02}" for day in range(1, 21)]),
    ],
)
def test_an_api_of_one_day_or_month_a_request(
    play: Server, collect: Collect, form: str, max_days: int, units: list[str]
) -> None:
    period = f"{{date_from: unit, format: '{form}', max_days: {max_days}, first_days: 22}}"
    server = play(lambda request: Answer({"data": [{"id": request.path}]}))
    route = replace(a_route(f"paging: none\nkey: [id]\nperiod: {period}"), path="/reports/{unit}")
    summary = collect(route, server, today=date(2025, 12, 20))
    assert summary["inserted"] == len(units)
    assert [request.target for request in server.requests] == [f"/reports/{unit}" for unit in units]


def test_today_is_that_of_the_zone() -> None:
    late = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert local_today(late, PeriodSpec("a", timezone="Europe/Berlin")) == date(2026, 1, 1)
    assert local_today(late, None) == date(2025, 12, 31)
