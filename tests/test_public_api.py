"""The public names resolve, cost nothing until they are used, and do what the documentation's examples say."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sportmonks
from local.stack.airflow import warehouse_connection
from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks import errors
from tests.harness.paths import REPO

PAGE = REPO / "docs" / "reference" / "python-api.md"
# Other pages with Python in them.
MORE_PAGES = (REPO / "docs" / "guides" / "routes.md", REPO / "docs" / "operations" / "monitoring.md")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


@pytest.mark.parametrize("name", sportmonks.__all__)
def test_every_public_name_resolves(name: str) -> None:
    value = getattr(sportmonks, name)
    assert value is getattr(sportmonks, name)
    home = sportmonks if name == "errors" else importlib.import_module(sportmonks._HOMES[name])
    assert value is getattr(home, name)
    assert value.__doc__, f"{name}: public names carry a docstring."


def test_type_checkers_see_the_same_names() -> None:
    """What is imported for them, what is loaded at run time, and what is public are one list."""
    tree = ast.parse((REPO / "plugins" / "sportmonks" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    assert seen.pop("errors") == "sportmonks"
    assert seen == sportmonks._HOMES
    assert sorted(sportmonks.__all__) == sorted([*sportmonks._HOMES, "errors"])


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'SportmonksHok'"):
        sportmonks.SportmonksHok  # noqa: B018
    assert "SportmonksHook" in dir(sportmonks)


LOADED = """
import json, sys
import sportmonks
light = sorted(name for name in sys.modules if name.startswith("sportmonks"))
from sportmonks import get_years_to_fetch, should_fetch_year, get_seasons_to_fetch, SeasonSpan, errors
heavy = sorted({"airflow", "psycopg", "requests", "msgspec", "yaml"} & sys.modules.keys())
print(json.dumps([light, heavy]))
"""


def test_importing_the_package_is_cheap() -> None:
    env = {**os.environ, "PYTHONPATH": str(REPO / "plugins")}
    done = subprocess.run([sys.executable, "-c", LOADED], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["sportmonks"], []]


def test_every_error_is_documented() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Errors")[2]
    documented = re.findall(r"^\| `(\w+)` \|", section, re.M)
    classes = [
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__
    ]
    assert sorted(documented) == sorted(classes)


def test_every_public_name_is_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = [name for name in sportmonks.__all__ if not re.search(rf"[`.]{name}\b", page)]
    assert not missing, f"Document in {PAGE.name}: {missing}"


class Checks(ast.NodeTransformer):
    """An expression with `# -> value` behind it becomes a comparison of its repr with that value."""

    def __init__(self, source: str) -> None:
        self.wanted = {
            number: found[1]
            for number, line in enumerate(source.splitlines(), 1)
            if (found := re.search(r"\S.*?  # -> (.+)$", line))
        }

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        wanted = self.wanted.pop(node.end_lineno or 0, None)
        if wanted is None:
            return node
        call = ast.Call(ast.Name("_check", ast.Load()), [node.value, ast.Constant(wanted)], [])
        return ast.copy_location(ast.Expr(call), node)


def check(value: Any, wanted: str) -> None:
    assert repr(value) == wanted


def blocks_of(page: Path) -> list[str]:
    """The Python of a page, each block moved down to its place, so that errors tell the page's own line."""
    text = page.read_text(encoding="utf-8")
    return ["\n" * text.count("\n", 0, found.start(1)) + found[1] for found in BLOCK.finditer(text)]


def run(source: str, names: dict[str, Any], page: Path) -> None:
    """One block, in the names that the blocks before it have left behind."""
    checks = Checks(source)
    tree = ast.fix_missing_locations(checks.visit(ast.parse(source)))
    assert not checks.wanted, f"{page.name}: only an expression can have a value: {checks.wanted}"
    exec(compile(tree, str(page), "exec"), names)


@pytest.fixture(scope="module")
def box() -> Iterator[RunningSandbox]:
    with running_sandbox(leagues=1, seasons=1, now="2026-11-21T12:00:00", frozen=True) as running:
        yield running


@pytest.fixture
def names(box: RunningSandbox, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the pages say that they use, and the two Airflow connections."""
    url = box.base_url
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(warehouse_dsn))
    monkeypatch.setenv(
        "AIRFLOW_CONN_SPORTMONKS_API", json.dumps({"conn_type": "http", "host": url, "password": box.key})
    )
    return {"_check": check, "dsn": warehouse_dsn, "base_url": url, "api_key": box.key}


def test_the_examples_of_the_python_api_run(names: dict[str, Any]) -> None:
    blocks = blocks_of(PAGE)
    assert len(blocks) >= 7
    assert sum(block.count("# ->") for block in blocks) >= 15
    for block in blocks:
        run(block, names, PAGE)


@pytest.mark.parametrize("page", MORE_PAGES, ids=lambda page: page.name)
def test_the_examples_of_other_pages_run(page: Path, names: dict[str, Any]) -> None:
    blocks = blocks_of(page)
    assert blocks
    with sportmonks.open_connection(names["dsn"]) as conn:
        names |= {"conn": conn, "fetch": lambda year: [year], "execution_id": "etl_20261121_050000_a1b2c3"}
        for block in blocks:
            run(block, names, page)


def test_no_page_has_python_that_is_not_run() -> None:
    pages = [*REPO.glob("*.md"), *(REPO / "docs").rglob("*.md")]
    found = [page for page in pages if BLOCK.search(page.read_text(encoding="utf-8"))]
    # tests/dags/test_wheel.py runs those of the wheel, as DAG files.
    assert sorted(found) == sorted([PAGE, *MORE_PAGES, REPO / "docs" / "guides" / "wheel.md"])


def test_a_wrong_value_in_an_example_is_noticed() -> None:
    names: dict[str, Any] = {"_check": check}
    run("x = 1\nx + 1  # -> 2\n", names, PAGE)
    with pytest.raises(AssertionError):
        run("x + 1  # -> 3\n", names, PAGE)
    with pytest.raises(AssertionError, match="only an expression"):
        run("x = 2  # -> 2\n", names, PAGE)
