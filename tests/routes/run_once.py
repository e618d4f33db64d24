"""One run of a route in a process of its own, so that a test may kill it: run_once.py DSN URL FILE.

Prints its status as Linux knows it at the end, the peak of its memory among it.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from sportmonks.routes.access import RouteAccess
from sportmonks.routes.extract import RouteRequest, plan_run, run_route
from sportmonks.routes.parse import parse_route
from sportmonks.routes.source import RestSource
from sportmonks.warehouse.connection import open_connection


def main(dsn: str, url: str, file: str) -> None:
    route = parse_route(Path(file).read_text(encoding="utf-8"))
    today = date(2025, 12, 31)
    plan = plan_run(lambda: open_connection(dsn), route, RouteRequest(), today)
    run_route(
        route,
        RestSource(route, RouteAccess(url)),
        lambda: open_connection(dsn),
        plan,
        execution_id="etl_1",
        today=today,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.write(Path("/proc/self/status").read_text())
