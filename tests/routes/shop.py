"""A shop whose API lists the orders of each day, and the route that reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from tests.harness.routes import watermark_of
from tests.harness.shape_server import Answer, Request, ShapeServer
from tests.routes.conftest import Conn

DAY = timedelta(days=1)
MORNING = datetime(2025, 12, 31, 5, 30, tzinfo=UTC)
# Each day is a request of its own.
DAILY = (
    "key: [id]\ndate_field: day\npaging: none\nperiod: {date_from: from, date_to: to, max_days: 1, first_days: 29}\n"
)
OFTEN_EMPTY = {
    "always": [str(date(2025, 12, 1) + n * DAY) for n in range(31)],
    "at weekends": [str(date(2025, 12, 1) + n * DAY) for n in range(31) if (date(2025, 12, 1) + n * DAY).weekday() > 4],
    "every third day": [str(date(2025, 12, 1) + n * DAY) for n in range(0, 31, 3)],
    "before it opened": [str(date(2025, 12, 1) + n * DAY) for n in range(15)],
}


class Shop:
    """Orders of each day. ``closed``: days without any; ``lost``: days whose orders do not come, so many times each."""

    def __init__(self, *closed: str) -> None:
        self.closed = {date.fromisoformat(day) for day in closed}
        self.lost: dict[date, int] = {}
        self.opened = date(2025, 1, 1)

    def lose(self, *days: str, times: int = 99) -> None:
        self.lost = {date.fromisoformat(day): times for day in days}

    def __call__(self, request: Request) -> Answer:
        first, last = (date.fromisoformat(request.query[name]) for name in ("from", "to"))
        rows = []
        for number in range((last - first).days + 1):
            day = first + number * DAY
            if self.lost.get(day, 0):
                self.lost[day] -= 1
            elif day >= self.opened and day not in self.closed:
                rows += [{"id": f"{day} {n}", "day": str(day)} for n in range(2)]
        return Answer({"data": rows})


def requested(server: ShapeServer) -> list[str]:
    """The first days of the requests, in order; forgets them."""
    days = [request.query["from"] for request in server.requests]
    server.requests.clear()
    return days


def mark(conn: Conn) -> str | None:
    return watermark_of(conn, "raw_shop_orders")
