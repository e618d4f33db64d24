"""The folder of DAGs as Airflow reads it: no import errors, nothing heavy, conventions with the fix in the message."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.utils.file import might_contain_dag

from sportmonks.airflow_compat import RELEASE
from sportmonks.render.manifest import PROBLEM_DAG
from tests.dags.bag import filled_bag
from tests.harness.manifests import manifest, text
from tests.harness.paths import REPO

pytestmark = pytest.mark.slow  # each DAG file is imported by a process of its own

FILES = sorted((REPO / "dags").glob("*.py"))
CORE = ("sportmonks_catalog", "etl_watch")


def bag(monkeypatch: pytest.MonkeyPatch, found: str | None) -> Any:
    if found is None:
        monkeypatch.delenv("AIRFLOW_VAR_SPORTMONKS_MANIFEST", raising=False)
    else:
        monkeypatch.setenv("AIRFLOW_VAR_SPORTMONKS_MANIFEST", found)
    return filled_bag(str(REPO / "dags"))


@pytest.fixture(scope="module")
def dags() -> Any:
    with pytest.MonkeyPatch.context() as monkeypatch:
        found = bag(monkeypatch, text(manifest(leagues=2)))
    assert found.import_errors == {}
    return found.dags


def test_every_dag_is_there(dags: dict[str, DAG]) -> None:
    assert {*CORE, "sportmonks_league_1", "sportmonks_league_2"} <= dags.keys()
    assert PROBLEM_DAG not in dags


def test_a_broken_manifest_hides_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    found = bag(monkeypatch, "{ broken")
    assert found.import_errors == {}
    assert {*CORE, PROBLEM_DAG} <= found.dags.keys()


def owned(dags: dict[str, DAG]) -> list[DAG]:
    return [dag for name, dag in sorted(dags.items()) if name != PROBLEM_DAG]


def test_every_dag_carries_its_runbook(dags: dict[str, DAG]) -> None:
    for dag in owned(dags):
        assert dag.description, f"{dag.dag_id}: give it a description, the list of DAGs shows it."
        what, *parts = re.split(r"(?m)^\*\*(Triage|Debug|Clear|Backfill)\.\*\*", dag.doc_md or "")
        assert len(what) > 150, f"{dag.dag_id}: doc_md has to begin with what the DAG does."
        sections = dict(zip(parts[::2], parts[1::2], strict=True))
        for part in ("Triage", "Debug", "Clear", "Backfill"):
            assert len(sections.get(part, "")) > 30, (
                f"{dag.dag_id}: doc_md needs a paragraph that begins with **{part}.**"
            )


def test_tags_owner_retries_catchup(dags: dict[str, DAG]) -> None:
    for dag in owned(dags):
        assert dag.tags, f"{dag.dag_id}: give it tags, the first one 'sportmonks'."
        # A list of single events has to be caught up with; a daily schedule has not.
        assert not dag.catchup or type(dag.timetable).__name__ == "EventsTimetable", (
            f"{dag.dag_id}: set catchup=False, a missed day is collected by the next run."
        )
        assert dag.max_active_runs <= 3, f"{dag.dag_id}: set max_active_runs, the budget is shared by all runs."
        for task in dag.tasks:
            assert task.owner not in ("", "airflow"), f"{dag.dag_id}.{task.task_id}: set default_args['owner']."
            # A notification about a run is not worth a second try.
            assert (task.retries or 0) >= 1 or task.task_id == "alerts", (
                f"{dag.dag_id}.{task.task_id}: set retries, because APIs and databases fail at times."
            )


def test_every_task_ends(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        for task in dag.tasks:
            assert task.execution_timeout, (
                f"{dag.dag_id}.{task.task_id}: set execution_timeout, a task that hangs keeps its worker slot for ever."
            )


def test_both_tries_of_the_watch_end_before_its_run_does(dags: dict[str, DAG]) -> None:
    """A run that is stopped from outside calls no callback, so nobody would be notified."""
    watch = dags["etl_watch"]
    for task in watch.tasks:
        assert task.execution_timeout is not None
        tries = (task.retries or 0) + 1
        assert tries * (task.execution_timeout + task.retry_delay) < watch.dagrun_timeout + task.retry_delay


def test_scheduled_leagues_have_a_deadline(dags: dict[str, DAG]) -> None:
    for dag in owned(dags):
        if "league" in dag.tags and dag.timetable.can_be_scheduled:
            assert dag.deadline, f"{dag.dag_id}: give it deadline=[...], a late day must raise an alert."


def test_season_groups_emit_their_leagues_assets(dags: dict[str, DAG]) -> None:
    for dag in owned(dags):
        if "league" in dag.tags:
            collects = [task for task in dag.tasks if task.task_id.endswith(".collect")]
            league = dag.dag_id.removeprefix("sportmonks_")
            kinds = ("fixtures", "seasons") if RELEASE >= (3, 3) else ("fixtures",)
            for task in collects:
                assert [asset.name for asset in task.outlets] == [f"football.{kind}.{league}" for kind in kinds]


def test_sql_files_that_tasks_name_exist(dags: dict[str, DAG]) -> None:
    for dag in owned(dags):
        for task in dag.tasks:
            file = getattr(task, "sql", None)
            if isinstance(file, str) and file.endswith(".sql"):
                assert (REPO / "include" / "sql" / file).is_file(), f"{dag.dag_id}.{task.task_id} names {file}."


def test_an_empty_or_odd_environment_parses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are read by tasks; a wrong one must not hide the DAGs."""
    monkeypatch.setenv("ETL_LEAGUES", "nonsense")
    monkeypatch.setenv("ETL_INCLUDES", "a b")
    assert bag(monkeypatch, text(manifest(leagues=1))).import_errors == {}


HEAVY = ("psycopg", "requests", "tenacity", "fastapi", "rich", "pandas", "numpy", "croniter", "aiohttp", "local")
PARSE = """
import json, sys
import airflow.sdk, airflow.models, airflow.dag_processing
try:
    import airflow.dag_processing.dagbag
except ImportError:
    import airflow.models.dagbag
import airflow.providers.common.sql.operators.sql, airflow.providers.standard.operators.branch
before = set(sys.modules)
import runpy
runpy.run_path(sys.argv[1])
print(json.dumps(sorted({name.split(".")[0] for name in set(sys.modules) - before})))
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_airflow_does_not_pass_over_a_dag_file(file: Path) -> None:
    assert might_contain_dag(str(file), safe_mode=True), (
        f"{file.name}: its text needs the words 'dag' and 'airflow', otherwise Airflow does not read the file."
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dag_file_imports_nothing_heavy(file: Path) -> None:
    """Every task parses its file again: what the top level imports is paid for by each of them."""
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "PYTHONPATH": str(REPO / "plugins"),
        "AIRFLOW_VAR_SPORTMONKS_MANIFEST": text(manifest(leagues=1)),
    }
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(file)], env=env, cwd=REPO, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = set(json.loads(done.stdout.strip().splitlines()[-1]))
    assert not loaded & set(HEAVY), f"{file.name} imports {sorted(loaded & set(HEAVY))}: move it into the task."


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dag_file_is_short_and_has_no_clock(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 150, (
        f"{file.name}: logic belongs in plugins/sportmonks."
    )
    parsed = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]  # tasks may look at the clock
    for node in (inner for statement in parsed for inner in ast.walk(statement)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in ("now", "utcnow", "today"), (
                f"{file.name}, line {node.lineno}: a DAG that changes with the clock gets a new version at every parse."
            )
