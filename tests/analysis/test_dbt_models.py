"""The dbt project fits the warehouse, found without dbt: `make dbt-trial` runs dbt itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from tests.harness.paths import REPO

PROJECT = REPO / "analytics" / "dbt"
MODELS = {file.stem: file for file in sorted((PROJECT / "models").rglob("*.sql"))}
CHECKS = sorted((PROJECT / "tests").glob("*.sql"))
STAGING = {
    model["name"]: model
    for model in yaml.safe_load((PROJECT / "models" / "staging" / "staging.yml").read_text(encoding="utf-8"))["models"]
}
SOURCES = {
    source["name"]: source
    for source in yaml.safe_load((PROJECT / "models" / "sources.yml").read_text(encoding="utf-8"))["sources"]
}


def rendered(file: Path) -> str:
    """A model or a test as dbt would send it, with the models that it refers to in its place."""
    text = re.sub(r"\{\{ config\(.*?\) \}\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"\{\{ source\('(\w+)', '(\w+)'\) \}\}", r"\1.\2", text)
    text = re.sub(r"\{\{ ref\('(\w+)'\) \}\}", lambda found: f"({rendered(MODELS[found[1]])}) AS referred", text)
    assert "{{" not in text, f"{file.name}: this test knows source(), ref() and config() only"
    return text


@pytest.mark.parametrize("name", MODELS)
def test_a_model_runs_and_has_the_columns_that_are_described(shared: psycopg.Connection[Any], name: str) -> None:
    cursor = shared.execute(rendered(MODELS[name]).encode())
    assert cursor.description is not None
    columns = {column.name for column in cursor.description}
    assert columns >= {column["name"] for column in STAGING[name].get("columns", [])}


@pytest.mark.parametrize("file", CHECKS, ids=lambda file: file.stem)
def test_a_check_of_the_project_passes(shared: psycopg.Connection[Any], file: Path) -> None:
    shared.execute(
        "INSERT INTO football.seasons (id, league_id) SELECT DISTINCT season_id, league_id FROM football.fixtures"
    )
    shared.execute("UPDATE football.fixtures SET round_id = 1")
    assert shared.execute("SELECT count(*) > 0 FROM football.standings").fetchone() == (True,)
    assert shared.execute(rendered(file).encode()).fetchall() == []


def test_every_model_is_described() -> None:
    assert STAGING.keys() == MODELS.keys()
    assert all(model["description"] and model["columns"] for model in STAGING.values())


def test_models_read_only_declared_sources() -> None:
    named = {pair for file in MODELS.values() for pair in re.findall(r"source\('(\w+)', '(\w+)'\)", file.read_text())}
    declared = {(name, table["name"]) for name, source in SOURCES.items() for table in source["tables"]}
    assert named <= declared


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source["name"])
def test_sources_exist(shared: psycopg.Connection[Any], source: dict[str, Any]) -> None:
    for table in source["tables"]:
        wanted = {column["name"] for column in table.get("columns", [])}
        wanted |= {table["config"]["loaded_at_field"]} if "config" in table else set()
        rows = shared.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
            (source["schema"], table["name"]),
        ).fetchall()
        assert wanted <= {row[0] for row in rows}, table["name"]
        assert rows, table["name"]
