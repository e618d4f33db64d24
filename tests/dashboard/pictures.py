"""The screenshots of docs/operations/monitoring.md, made again from a seeded warehouse:

    python -m tests.dashboard.pictures docs/images

Needs Chromium. The pictures of the page inside Airflow come from a running stack and are not made here.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Browser, sync_playwright
from psycopg import conninfo, sql

from local.stack.postgres import EmbeddedPostgres
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate
from tests.harness.browser import launch
from tests.harness.dashboard_seed import one_match, seed
from tests.harness.dashboard_server import serving, stand_in_access

DESK, PHONE = (1200, 860), (390, 844)
NOWHERE = "host=127.0.0.1 port=1 dbname=x user=x"


def places(execution: str, fixture: int) -> dict[str, tuple[str, tuple[int, int]]]:
    """Name of a picture -> address after #, size."""
    sections = {
        "overview": "",
        "runs": "runs",
        "run": f"run/{execution}",
        "coverage": "coverage",
        "season": "season/3/3001",
        "fixture": f"fixture/{fixture}",
        "metrics": "metrics",
        "logs": "logs?level=WARNING",
        "alerts": "alerts?state=all",
        "corrections": "corrections",
    }
    desk = {name: (place, DESK) for name, place in sections.items()}
    return desk | {f"{name}-phone": (sections[name], PHONE) for name in sections}


@contextmanager
def database(server: EmbeddedPostgres, name: str) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    base = server.conninfo("postgres")
    with psycopg.connect(base, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    dsn = conninfo.make_conninfo(base, dbname=name)
    with open_connection(dsn, autocommit=True) as conn:
        migrate(conn)
        yield dsn, conn


def take(browser: Browser, address: str, place: str, size: tuple[int, int], theme: str, file: Path) -> None:
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(f"{address}/#/{place}")
    page.wait_for_selector("main[aria-busy='false']")
    page.wait_for_timeout(300)  # charts draw in the next frames
    page.screenshot(path=file)
    context.close()


def main(folder: Path) -> None:
    with ExitStack() as stack:
        server = EmbeddedPostgres(stack.enter_context(tempfile.TemporaryDirectory()), settings={"fsync": "off"})
        server.start()
        stack.callback(server.stop)
        dsn, conn = stack.enter_context(database(server, "seeded"))
        seed(conn, now=datetime.now(UTC))
        fixture = one_match(conn)
        row = conn.execute("SELECT max(execution_id) FROM etl.etl_executions WHERE status = 'FAILED'").fetchone()
        empty, _ = stack.enter_context(database(server, "empty"))
        access = stand_in_access("admin")
        full, nothing, away = (stack.enter_context(serving(found, access)) for found in (dsn, empty, NOWHERE))
        browser = launch(stack.enter_context(sync_playwright()))
        for theme in ("light", "dark"):
            for name, (place, size) in places(row[0] if row else "", fixture).items():
                take(browser, full, place, size, theme, folder / f"dashboard-{name}-{theme}.png")
            take(browser, nothing, "", (1200, 620), theme, folder / f"dashboard-empty-{theme}.png")
            take(browser, away, "", (1200, 300), theme, folder / f"dashboard-trouble-{theme}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
