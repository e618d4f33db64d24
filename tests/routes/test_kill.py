"""100,000 records, killed with -9 in the middle: the next try ends with the exact set and the exact figures."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.harness.paths import REPO
from tests.harness.rest_server import RestServer
from tests.harness.routes import BASE, make_route
from tests.routes.conftest import Run

TOTAL, SIZE = 100_000, 500


@pytest.mark.slow
def test_killed_in_the_middle(
    run: Run, server: RestServer, warehouse: psycopg.Connection[Any], warehouse_dsn: str, tmp_path: Path
) -> None:
    server.total, server.size = TOTAL, SIZE
    server.record = lambda number: {"id": number + 1, "v": f"value {number}"}
    file = tmp_path / "orders.yaml"
    file.write_text(BASE.replace("size: 100", f"size: {SIZE}"))
    reached = threading.Event()
    server.hold = lambda number: reached.set() if number == 90 else None
    environment = {**os.environ, "PYTHONPATH": f"{REPO / 'plugins'}:{REPO}"}
    command = [sys.executable, str(Path(__file__).with_name("run_once.py")), warehouse_dsn, server.url, str(file)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert reached.wait(120)
    process.kill()
    process.wait(30)
    server.hold = None

    stored = warehouse.execute("SELECT count(*) FROM raw.client_shop_orders").fetchone()
    counted = warehouse.execute("SELECT (counters ->> 'inserted')::int, status FROM etl.route_progress").fetchone()
    assert stored is not None
    assert 0 < stored[0] < TOTAL
    assert counted == (stored[0], "RUNNING")  # rows and counters moved together

    server.calls.clear()
    summary = run(make_route("", file.read_text()))
    assert summary["resumed"]
    assert (summary["records"], summary["inserted"], summary["duplicates"]) == (TOTAL, TOTAL, 0)
    assert summary["pages"] == TOTAL // SIZE
    assert int(server.calls[0][1]["page"]) == stored[0] // SIZE + 1  # not a page is read twice
    assert warehouse.execute(
        "SELECT count(*), count(DISTINCT payload ->> 'id'), min((payload ->> 'id')::int), max((payload ->> 'id')::int)"
        " FROM raw.client_shop_orders"
    ).fetchone() == (TOTAL, TOTAL, 1, TOTAL)
