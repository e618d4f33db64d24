"""Fixtures that every test may use: a real PostgreSQL, one migrated template, a fresh clone per test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, sql

from tests.harness.paths import REPO
from tests.harness.server_folder import server_folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--part",
        choices=("all", "quick", "slow", "stacks"),
        default="all",
        help="all tests (default), those that start a complete stack, or of the others the slow or the quick ones",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose by ``--part``.

    The tests of the shared stack run last: it runs until the session ends and would slow whatever comes after.
    """
    for item in items:
        if item.path.parent == REPO / "tests" / "e2e":
            item.add_marker("e2e")
    wanted = config.getoption("--part")
    if wanted != "all":
        chosen: dict[bool, list[pytest.Item]] = {True: [], False: []}
        for item in items:
            chosen[_part(item) == wanted].append(item)
        items[:] = chosen[True]
        config.hook.pytest_deselected(items=chosen[False])
    items.sort(key=lambda item: "etl" in getattr(item, "fixturenames", ()))


def _part(item: pytest.Item) -> str:
    if item.get_closest_marker("e2e"):
        return "stacks"
    return "slow" if item.get_closest_marker("slow") else "quick"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Captured output travels between processes, and lone surrogates, which tests log on purpose, cannot."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of recorded responses of the API; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("ETL_SAMPLES") or REPO.parent / "shared" / "samples")
    if not folder.is_dir():
        pytest.skip("the recorded responses are not on this machine (set ETL_SAMPLES to their folder)")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Conninfo (database postgres) of a server of this test session's own; ETL_TEST_DSN names another one."""
    given = os.environ.get("ETL_TEST_DSN")
    if given:
        yield given
        return
    from local.stack.postgres import EmbeddedPostgres

    # The data need not survive a crash, and a database per test is fast without waiting for the disk.
    settings = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "256MB"}
    with server_folder() as folder:
        server = EmbeddedPostgres(folder, settings=settings)
        server.start()
        try:
            yield server.conninfo("postgres")
        finally:
            server.destroy()


@pytest.fixture(scope="session")
def template_database(postgres_server: str) -> Iterator[str]:
    """Name of a database on which every migration has run."""
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.migrations import migrate

    name = f"template_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with open_connection(conninfo.make_conninfo(postgres_server, dbname=name)) as conn:
        migrate(conn)
    yield name
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def empty_dsn(postgres_server: str) -> Iterator[str]:
    """Conninfo of a database without anything in it."""
    name = f"empty_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield conninfo.make_conninfo(postgres_server, dbname=name)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def warehouse_dsn(postgres_server: str, template_database: str) -> Iterator[str]:
    """Conninfo of a fresh migrated database, gone after the test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        # The way of copying that is quick without fsync; before version 15 it was the only one and had no name.
        strategy = sql.SQL(" STRATEGY file_copy" if admin.info.server_version >= 150000 else "")
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template_database))
            + strategy
        )
    yield conninfo.make_conninfo(postgres_server, dbname=name)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def warehouse(warehouse_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection (autocommit) to a fresh migrated database."""
    from sportmonks.warehouse.connection import open_connection

    with open_connection(warehouse_dsn, autocommit=True) as conn:
        yield conn
