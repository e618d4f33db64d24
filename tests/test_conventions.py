"""Rules of the house that no linter knows; each message names the fix."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.paths import REPO

PACKAGE = REPO / "plugins" / "sportmonks"
MODULES = sorted(PACKAGE.rglob("*.py"))
SQL_FILES = sorted((REPO / "include" / "sql").rglob("*.sql"))


def name_of(file: Path) -> str:
    return str(file.relative_to(REPO))


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_modules_stay_short(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= 450, f"{name_of(file)} has {lines} lines: split it."


def test_sql_files_say_what_they_are() -> None:
    silent = [name_of(file) for file in SQL_FILES if not file.read_text(encoding="utf-8").startswith("--")]
    assert not silent, f"Begin with a comment that says what it is or which question it answers: {silent}"


def test_sql_comments_bind_nothing() -> None:
    """A placeholder in a comment is bound like any other, and fails when nobody gives it."""
    bad = [
        f"{name_of(file)}: {line.strip()}"
        for file in SQL_FILES
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"--.*%\(", line)
    ]
    assert not bad, f"Take the placeholder out of the comment: {bad}"


def test_python_names_only_sql_files_that_exist() -> None:
    for file in MODULES:
        for name in re.findall(r'\bsql\("([a-z_/]+)"\)', file.read_text(encoding="utf-8")):
            assert (REPO / "include" / "sql" / f"{name}.sql").is_file(), (
                f"{name_of(file)} names {name}.sql: no such file."
            )


IMPORT_ALL = """
import importlib, pkgutil, sys, warnings
from airflow.utils.deprecation_tools import DeprecatedImportWarning
warnings.simplefilter("error", DeprecatedImportWarning)
import sportmonks
for module in pkgutil.walk_packages(sportmonks.__path__, "sportmonks."):
    importlib.import_module(module.name)
import runpy
for file in sys.argv[1:]:
    runpy.run_path(file)
"""


def test_nothing_is_imported_from_where_airflow_no_longer_keeps_it(tmp_path: Path) -> None:
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "PYTHONPATH": str(REPO / "plugins"),
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW_VAR_SPORTMONKS_MANIFEST": "{}",
    }
    dags = sorted(str(file) for file in (REPO / "dags").glob("*.py"))
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *dags], env=env, cwd=REPO, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_plugin_loader_is_kept_out_of_the_package() -> None:
    ignored = (REPO / "plugins" / ".airflowignore").read_text(encoding="utf-8").split()
    assert "sportmonks/" in ignored, "plugins/.airflowignore must list sportmonks/: the loader would run every module."
