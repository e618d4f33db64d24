"""How fast the page answers at full size: 490 leagues and seasons, 10 million log lines, 1 million metrics.

    python -m benchmarks.dashboard [--logs N] [--metrics N] [--keep FOLDER]

Seeds an embedded PostgreSQL of its own (a folder that --keep names is used again), starts the page's app behind
a real HTTP server and sends every request of the page several times over HTTP: median and worst time in ms. The exit
code is 1 when a median is over the limit.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from benchmarks.harness import filled_database, postgres, print_times

LIMIT_MS = 200
SIZES = {"leagues": 35, "seasons": 14, "fixtures": 137, "executions": 3_000, "route_runs": 20_000}
MATCH = "Ajax vs PSV"


def fill(dsn: str, logs: int, metrics: int) -> None:
    """Seeds a new database."""
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.migrations import migrate
    from tests.harness.dashboard_seed import one_match, seed

    with open_connection(dsn, autocommit=True) as conn:
        migrate(conn)
        seed(conn, now=datetime.now(UTC), logs=logs, metrics=metrics, **SIZES)
        one_match(conn)
        conn.execute("SELECT etl.roll_up_metrics()")
        conn.execute("VACUUM (ANALYZE) etl.etl_logs, etl.etl_metrics, football.fixtures")


def requests_of_page(get: Callable[..., Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The requests of the page: label -> path and parameters. Ids come from the data."""
    execution = get("executions", {"status": "COMPLETED"})["rows"][3]["execution_id"]
    season = get("chunks/1/1001/fixtures", {"limit": 2000})["rows"]
    fixture = next(row["fixture_id"] for row in season if row["name"] == MATCH)
    deep = get("logs", {})["rows"][-1]["log_id"] // 2
    return {
        "overview": ("overview", {}),
        "runs, first page": ("executions", {"limit": 25}),
        "runs, FAILED": ("executions", {"status": "FAILED"}),
        "runs, 500": ("executions", {"limit": 500}),
        "runs of routes": ("executions", {"kind": "route"}),
        "one run": (f"executions/{execution}", {}),
        "coverage, all seasons": ("coverage", {}),
        "one season": ("chunks/3/3001", {}),
        "fixtures of a season": ("chunks/3/3001/fixtures", {"limit": 2000}),
        "one fixture": (f"fixtures/{fixture}", {}),
        "rows of a section": (f"fixtures/{fixture}/sections/events", {}),
        "payload of a fixture": (f"fixtures/{fixture}/payload", {}),
        "logs, newest": ("logs", {}),
        "logs, deep page": ("logs", {"before": deep}),
        "logs, ERROR and above": ("logs", {"level": "ERROR"}),
        "logs, WARNING of a component": ("logs", {"level": "WARNING", "component": "API"}),
        "logs of a component": ("logs", {"component": "LOAD"}),
        "logs of a run": ("logs", {"execution_id": execution}),
        "logs of a run, WARNING": ("logs", {"execution_id": execution, "level": "WARNING"}),
        "logs of a season": ("logs", {"chunk_id": "3_3001"}),
        "logs of a fixture": ("logs", {"fixture_id": 10010012}),
        "logs of nobody": ("logs", {"execution_id": "nobody"}),
        "logs, unknown component": ("logs", {"component": "NOBODY"}),
        "logs, frequent text": ("logs", {"text": "held back"}),
        "logs, text not there": ("logs", {"text": "no such text"}),
        "logs, text not in WARNING": ("logs", {"level": "WARNING", "text": "no such text"}),
        "logs, text not in a component": ("logs", {"component": "LOAD", "text": "no such text"}),
        "logs, WARNING of nobody": ("logs", {"component": "NOBODY", "level": "WARNING"}),
        "filters": ("filters", {}),
        "charts, 6 hours": ("metrics", {"hours": 6}),
        "charts, 24 hours": ("metrics", {"hours": 24}),
        "charts, 7 days": ("metrics", {"hours": 168}),
        "one metric, 7 days": ("metrics", {"hours": 168, "name": "chunk_duration"}),
        "budgets": ("budgets", {}),
        "alerts": ("alerts", {"state": "all"}),
        "corrections": ("changes", {}),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logs", type=int, default=10_000_000)
    parser.add_argument("--metrics", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="folder of the database, kept for the next time")
    args = parser.parse_args()

    from tests.harness.dashboard_server import serving, stand_in_access

    name = f"bench_{args.logs}_{args.metrics}"
    with ExitStack() as stack:
        server = stack.enter_context(postgres(args.keep))
        dsn = filled_database(server, name, lambda conninfo: fill(conninfo, args.logs, args.metrics))
        address = stack.enter_context(serving(dsn, stand_in_access("admin")))
        session = stack.enter_context(requests.Session())

        def get(path: str, params: dict[str, Any]) -> Any:
            answer = session.get(f"{address}/api/{path}", params=params, timeout=60)
            answer.raise_for_status()
            return answer.json()

        def ask() -> Iterator[tuple[str, list[float]]]:
            for label, (path, params) in requests_of_page(get).items():
                times = []
                for _ in range(args.repeat):
                    started = time.perf_counter()
                    get(path, params)
                    times.append((time.perf_counter() - started) * 1000)
                yield label, times

        return print_times("request", ask(), limit_ms=LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
