"""A process that is killed with -9: the next try ends with the exact set and the exact figures.

ROUTE_KILLS=1000000,20,0.1 kills a run of a million records twenty times, at random places and times, of an API that
takes a tenth of a second for each page. It takes two minutes and prints the peaks of memory (pytest -s).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
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


# Records, kills, and seconds per page.
_RECORDS, _KILLS, DELAY = (float(part) for part in f"{os.environ.get('ROUTE_KILLS', '6000,3')},0.005".split(",")[:3])
RECORDS, KILLS = int(_RECORDS), int(_KILLS)
# Of a process that reads and writes a route; it does not depend on the number of records.
LARGEST_KIB = 160 * 1024


def peak_of(status: str) -> int:
    """The most memory that a process has held, in KiB, from its status as Linux writes it."""
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.slow
def test_killed_at_random_again_and_again(
    run: Run, server: RestServer, warehouse: psycopg.Connection[Any], warehouse_dsn: str, tmp_path: Path
) -> None:
    size = 100 if RECORDS < 100_000 else 1_000
    pages = RECORDS // size
    server.total, server.size, server.delay = RECORDS, size, DELAY
    server.record = lambda number: {"id": number + 1, "v": f"value {number}"}
    server.flags = False  # the end is not announced: it is an empty page
    file = tmp_path / "orders.yaml"
    file.write_text(BASE.replace("size: 100", f"size: {size}").replace(", more: pagination.has_more", ""))
    environment = {**os.environ, "PYTHONPATH": f"{REPO / 'plugins'}:{REPO}"}
    command = [sys.executable, str(Path(__file__).with_name("run_once.py")), warehouse_dsn, server.url, str(file)]
    # Where in the listing each try is killed; the last one lives.
    chance = random.Random(RECORDS + KILLS)
    places = sorted(chance.sample(range(2, pages), KILLS))
    peaks = []
    for place in [*places, None]:
        reached = threading.Event()
        server.hold = lambda number, place=place, reached=reached: reached.set() if number == place else None  # type: ignore[misc]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        if place is not None:
            assert reached.wait(600)
            time.sleep(chance.uniform(0, 0.05))  # while it waits, reads or writes
            peaks.append(peak_of(Path(f"/proc/{process.pid}/status").read_text()))
            process.kill()
        written, _ = process.communicate()
    assert process.returncode == 0
    peaks.append(peak_of(written))
    shown = ", ".join(str(peak // 1024) for peak in peaks)
    sys.stdout.write(f"peaks of memory in MiB, try by try: {shown}\n")
    assert max(peaks) < LARGEST_KIB

    counted = warehouse.execute("SELECT status, counters FROM etl.route_progress").fetchone()
    assert counted is not None
    status, counters = counted
    assert (status, counters["records"], counters["inserted"], counters["duplicates"]) == ("DONE", RECORDS, RECORDS, 0)
    assert counters["end_empty_page"] == 1
    assert warehouse.execute(
        "SELECT count(*), count(DISTINCT payload ->> 'id'), min((payload ->> 'id')::int), max((payload ->> 'id')::int)"
        " FROM raw.client_shop_orders"
    ).fetchone() == (RECORDS, RECORDS, 1, RECORDS)
