"""Rules of the house that no linter knows; each message names the fix."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sportmonks.warehouse.queries import sql
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


def test_python_names_only_queries_that_exist() -> None:
    for file in MODULES:
        for name in re.findall(r'\bsql\("([a-z_/]+)"\)', file.read_text(encoding="utf-8")):
            assert name in sql.names(), f"{name_of(file)} names the query {name}: there is none."


def test_every_query_says_what_it_is() -> None:
    silent = [name for name in sql.names() if not sql(name).splitlines()[1].startswith("-- ")]
    assert not silent, f"Say in a comment behind the name which question it answers: {silent}"


def test_parameters_are_bound_by_name() -> None:
    wrong = [name for name in sql.names() if re.search(r"(?<!%)%s", sql(name))]
    assert not wrong, f"Write %(name)s instead of %s: {wrong}"


STATEMENT = re.compile(
    r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|COPY|SET|CREATE|ALTER|DROP|TRUNCATE|LOCK|GRANT|REVOKE|WITH)\s+[\w.({]"
)
# Names of databases cannot be parameters, so that one statement is composed in Python.
COMPOSED = {"CREATE DATABASE {}"}


def test_no_statement_is_written_in_python() -> None:
    found = []
    for file in [*MODULES, *(REPO / "local").rglob("*.py"), *(REPO / "dags").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            # A sentence that names a statement for people has an ellipsis where a name belongs.
            if STATEMENT.match(text) and text not in COMPOSED and "…" not in text:
                found.append(f"{name_of(file)}:{node.lineno}: {text[:50]!r}")
    assert not found, f"Give it a name in include/sql/queries and call it by that name: {found}"


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


def test_connections_are_looked_up_in_one_place() -> None:
    files = [*(REPO / "plugins").rglob("*.py"), *(REPO / "dags").glob("*.py")]
    found = [file.name for file in files if "BaseHook.get_connection(" in file.read_text(encoding="utf-8")]
    assert found == ["airflow_compat.py"], "Use airflow_compat.connection or find_connection: they have the sentences."


def test_the_plugin_loader_is_kept_out_of_the_package() -> None:
    ignored = (REPO / "plugins" / ".airflowignore").read_text(encoding="utf-8").split()
    assert "sportmonks" in ignored, (
        "plugins/.airflowignore must list sportmonks, without a slash (3.1.0 passes over it with one): the loader"
        " would run every module."
    )
