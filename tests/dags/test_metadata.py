"""The wheel's metadata name every package that the code imports, and no other."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.harness.paths import REPO

OWN = "sportmonks"
# Airflow 3.1 asks hooks for widgets of these and puts stand-ins where they are not installed (hooks/forms.py).
OPTIONAL = frozenset({"flask-appbuilder", "flask-babel", "wtforms"})

# Packages that several distributions share -> the one whose modules are imported.
SHARED = {"openlineage": "openlineage-python"}


def test_what_is_imported_is_declared_and_the_other_way_round() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    imported = {canonicalize_name(name): modules for name, modules in distributions().items()}
    missing = {name: sorted(modules) for name, modules in imported.items() if name not in declared | OPTIONAL}
    assert not missing, f"Declare these in pyproject.toml, or do not import them: {missing}"
    # An extra may be for the command line, which the wheel does not hold.
    required = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    assert not required - imported.keys(), f"Nothing imports these: {sorted(required - imported.keys())}"


def test_every_requirement_has_a_lower_bound() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in project["dependencies"]:
        assert ">=" in str(Requirement(line).specifier), f"{line}: which version is the oldest that works?"


def distributions() -> dict[str, set[str]]:
    """Distributions that the package imports from, with the modules that are imported."""
    by_package = packages_distributions()
    found: dict[str, set[str]] = {}
    for module in imported_modules():
        top = module.partition(".")[0]
        if top == OWN or top in sys.stdlib_module_names:
            continue
        if top == "airflow":
            provider = re.match(r"airflow\.providers\.(common\.\w+|\w+)", module)
            name = f"apache-airflow-providers-{provider[1].replace('.', '-')}" if provider else "apache-airflow"
        else:
            (name,) = {SHARED[top]} if top in SHARED else set(by_package.get(top, [top]))
        found.setdefault(name, set()).add(module)
    return found


def imported_modules() -> Iterator[str]:
    """Every import of the package, those inside functions and for type checking included."""
    for file in sorted((REPO / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
