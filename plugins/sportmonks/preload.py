"""What every task and every parse imports, imported once by the processes that these are forks of.

With the LocalExecutor a task is a fork of the scheduler, with the CeleryExecutor one of the worker, and a parse is a
fork of the DAG processor. What is imported there is in the memory of each fork; importing it anew costs a task more CPU
time than most of its work. A fork that finds other files than its parent read forgets the package and imports what lies
there now, so that an edited or upgraded package needs no restart for its tasks.

Airflow runs ``airflow_local_settings.py`` in every process at its start: ``config/`` has one that calls this.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from sportmonks.config.settings import SQL_DIR

# The commands of Airflow whose processes are the parents.
PARENTS = {"scheduler", "dag-processor", "celery"}
LIBRARIES = (
    "airflow.dag_processing.dagbag",
    "airflow.providers.common.compat.lineage.hook",
    "airflow.providers.common.sql.operators.sql",
    "airflow.providers.http.hooks.http",
    "airflow.providers.postgres.hooks.postgres",
    "airflow.providers.standard.operators.python",
    "airflow.sdk.definitions.decorators",
    "airflow.sdk.execution_time.task_runner",
    "croniter",
    "jinja2.ext",
    "jinja2.sandbox",
    "msgspec",
    "psycopg",
    "requests",
    "sqlparse",
    "tenacity",
)
# The page belongs to the API server; what Airflow finds by itself is loaded by it when it needs it.
LEFT_OUT = ("sportmonks.dags", "sportmonks.dashboard", "sportmonks.plugin", "sportmonks.preload", "sportmonks.provider")
PACKAGE = Path(__file__).parent


def preload() -> None:
    """In a process that tasks or parses are forks of: import what they need and read the package's SQL."""
    if not PARENTS & set(sys.argv):
        return
    before = state_of_files()
    for name in (*LIBRARIES, *module_names()):
        # Preloading saves time and nothing else: what cannot be imported fails where it is needed, and is named there.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    with contextlib.suppress(Exception):
        _ = importlib.import_module("sportmonks.warehouse.queries").sql.sections
    # The first conversion to a type takes longer than all others: it reads the type.
    with contextlib.suppress(Exception):
        importlib.import_module("msgspec").convert({}, importlib.import_module("sportmonks.config.manifest").Manifest)
    os.register_at_fork(after_in_child=lambda: forget() if state_of_files() != before else None)


def module_names() -> list[str]:
    """The modules of the package that tasks and DAG files use, by their dotted names."""
    files = (file.relative_to(PACKAGE).with_suffix("") for file in sorted(PACKAGE.rglob("*.py")))
    names = (".".join(("sportmonks", *file.parts)).removesuffix(".__init__") for file in files)
    return [name for name in names if not any(f"{name}.".startswith(f"{other}.") for other in LEFT_OUT)]


def forget() -> None:
    """Remove the package from the modules of this process: the next import reads its files."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "sportmonks"]:
        del sys.modules[name]


def state_of_files() -> frozenset[tuple[str, int, int]]:
    """Path, time of the last change in ns, and bytes, of every Python and SQL file."""
    return frozenset(file for folder in (PACKAGE, SQL_DIR) for file in _files(str(folder)))


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith((".py", ".sql")):
                    stat = entry.stat()
                    yield entry.path, stat.st_mtime_ns, stat.st_size
                elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                    yield from _files(entry.path)
    except FileNotFoundError:
        # Removed while it is read, as an upgrade does: it differs from what was there before.
        return
