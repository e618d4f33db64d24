"""Does the package fit the Airflow of this environment? For an environment with another release than the local stack's.

``PYTHONPATH=plugins:. python -m tests.dags.releases`` imports every name of ``airflow_names.txt`` and every module of
the package, and builds and serialises every DAG; what fails is printed, and the exit code is 1. No database is needed.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import pkgutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.harness.paths import REPO

NAMES_FILE = REPO / "tests" / "dags" / "airflow_names.txt"
# The one module that may import what a release lacks.
COMPAT = REPO / "plugins" / "sportmonks" / "airflow_compat.py"


def imported_names() -> set[str]:
    """``module name`` of each import from Airflow in the package and in dags/, those for type checking included."""
    found: set[str] = set()
    for file in [*sorted((REPO / "plugins").rglob("*.py")), *sorted((REPO / "dags").glob("*.py"))]:
        if file != COMPAT:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                found |= set(_names(node))
    return found


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "airflow":
        yield from (f"{node.module} {alias.name}" for alias in node.names)
    if isinstance(node, ast.Import):
        yield from (f"{alias.name} -" for alias in node.names if alias.name.split(".")[0] == "airflow")


def listed_names() -> list[str]:
    lines = NAMES_FILE.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def missing_names() -> Iterator[str]:
    for line in listed_names():
        module, name = line.split()
        try:
            found = importlib.import_module(module)
            if name != "-":
                getattr(found, name)
        except Exception as error:
            yield f"{line}: {type(error).__name__}: {error}"


def broken_modules() -> Iterator[str]:
    import sportmonks

    for module in pkgutil.walk_packages(sportmonks.__path__, "sportmonks."):
        try:
            importlib.import_module(module.name)
        except Exception as error:
            yield f"{module.name}: {type(error).__name__}: {error}"


def broken_dags() -> Iterator[str]:
    from tests.dags.bag import filled_bag, serialization
    from tests.harness.manifests import manifest, text

    os.environ["AIRFLOW_VAR_SPORTMONKS_MANIFEST"] = text(manifest(leagues=2))
    bag = filled_bag(str(REPO / "dags"))
    yield from (f"{file}: {error}" for file, error in bag.import_errors.items())
    if "sportmonks_league_2" not in bag.dags:
        yield f"no league DAGs, only {sorted(bag.dags)}"
    form = serialization()
    for dag in bag.dags.values():
        try:
            form.from_dict(json.loads(json.dumps(form.to_dict(dag))))
        except Exception as error:
            yield f"{dag.dag_id}: {type(error).__name__}: {error}"


def main() -> int:
    os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(REPO / "plugins")
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = home
        problems = [*missing_names(), *broken_modules(), *broken_dags()]
        version = importlib.import_module("airflow").__version__
    sys.stdout.write("\n".join([*problems, f"Airflow {version}: {len(problems)} problems"]) + "\n")
    return bool(problems)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(REPO / "plugins")))
    sys.exit(main())
