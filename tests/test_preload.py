"""Modules that the parent of tasks has imported: found by its forks, and not used when their files have changed."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sportmonks.preload import LIBRARIES
from tests.harness.paths import REPO

# Preloads, then forks once as things are and once after the change that it gets; each fork reports what it finds.
PARENT = """
import json, os, pathlib, sys
from sportmonks.preload import preload

def fork(report):
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        return
    loaded = "sportmonks.collect.collect" in sys.modules
    from sportmonks.errors import SportmonksError
    from sportmonks.warehouse.queries import sql
    found = {"loaded": loaded, "mark": getattr(SportmonksError, "mark", None), "query": sql("example/has_table")}
    pathlib.Path(report).write_text(json.dumps(found))
    os._exit(0)

sys.argv[0] = "scheduler"
preload()
assert not [name for name in sys.modules if name.startswith(("sportmonks.dashboard", "fastapi"))]
fork("before.json")
exec(sys.argv[1])
fork("after.json")
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPO / "plugins" / "sportmonks", tmp_path / "plugins" / "sportmonks", ignore=ignore)
    shutil.copytree(REPO / "include", tmp_path / "include", ignore=ignore)
    return tmp_path


def run(copy: Path, change: str) -> tuple[dict[str, object], dict[str, object]]:
    command = [sys.executable, "-c", PARENT, change]
    env = {"PYTHONPATH": str(copy / "plugins"), "PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(copy / "airflow")}
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    before, after = (json.loads((copy / name).read_text()) for name in ("before.json", "after.json"))
    return before, after


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_libraries_exist(name: str) -> None:
    assert importlib.util.find_spec(name)


def test_airflows_processes_preload_at_their_start() -> None:
    """As Airflow does it, which reads the file in ``config/``; every other command imports nothing more."""
    run = "import sys; sys.argv = ['airflow', sys.argv[1]]; import airflow_local_settings; "
    run += "print('sportmonks.collect.collect' in sys.modules)"
    path = os.pathsep.join(str(REPO / name) for name in ("config", "plugins"))
    for command, expected in (("scheduler", "True"), ("dag-processor", "True"), ("api-server", "False")):
        done = subprocess.run(
            [sys.executable, "-c", run, command],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.stdout.split()[-1:] == [expected], (command, done.stdout, done.stderr)


def test_a_fork_finds_what_was_preloaded(copy: Path) -> None:
    before, after = run(copy, "pass")
    assert before == after
    assert before["loaded"] is True
    assert before["mark"] is None


def test_a_fork_imports_anew_what_has_changed(copy: Path) -> None:
    edit = "file = pathlib.Path('plugins/sportmonks/errors.py')\n"
    edit += "file.write_text(file.read_text() + 'SportmonksError.mark = 1')"
    before, after = run(copy, edit)
    assert (before["loaded"], before["mark"]) == (True, None)
    assert (after["loaded"], after["mark"]) == (False, 1)


def test_a_fork_reads_changed_sql(copy: Path) -> None:
    edit = "file = pathlib.Path('include/sql/queries/example.sql'); text = file.read_text()\n"
    edit += "file.write_text(text.replace('-- name: example/has_table', '-- name: example/has_table\\n-- edited'))"
    before, after = run(copy, edit)
    assert "-- edited" not in str(before["query"])
    assert "-- edited" in str(after["query"])


def test_a_module_that_cannot_be_imported_stops_nobody(copy: Path) -> None:
    (copy / "plugins" / "sportmonks" / "broken.py").write_text("this is no Python")
    assert run(copy, "pass")[0]["loaded"] is True
