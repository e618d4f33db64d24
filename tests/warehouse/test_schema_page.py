"""docs/reference/schema.md is what the database says of itself."""

from __future__ import annotations

import difflib
from typing import Any

import psycopg

from tests.warehouse.schema_page import FILE, diagram, page, read_tables


def test_the_page_is_the_schema(warehouse: psycopg.Connection[Any]) -> None:
    now, committed = page(warehouse), FILE.read_text(encoding="utf-8")
    difference = "\n".join(
        difflib.unified_diff(committed.split("\n"), now.split("\n"), FILE.name, "database", n=1, lineterm="")
    )
    assert now == committed, f"The schema changed. Run: python -m tests.warehouse.schema_page\n{difference}"


def test_the_diagram_knows_what_ids_refer_to(warehouse: psycopg.Connection[Any]) -> None:
    lines = {line.strip() for line in diagram("football", read_tables(warehouse))}
    assert {
        "leagues ||--o{ seasons : league_id",
        "fixtures ||--o{ fixture_events : fixture_id",
        "teams ||--o{ fixtures : home_team_id",
        "types ||--o{ fixture_statistics : type_id",
        "fixture_lineups ||--o{ fixture_player_statistics : lineup_id",
    } <= lines


def test_every_id_of_a_typed_table_refers_to_its_table(warehouse: psycopg.Connection[Any]) -> None:
    """The lines of the diagram come from the comments, so that a comment without its table is a line too few."""
    tables = read_tables(warehouse)
    places = {table.place for table in tables if not table.is_view}
    known = {f"{name}_id": f"football.{name}s" for name in "fixture league season stage round team venue state".split()}
    lacking = [
        f"{table.place}.{column.name}"
        for table in tables
        if table.schema == "football" and not table.is_view
        for column in table.columns
        if column.name in known
        and known[column.name] != table.place
        and (column.name, known[column.name]) not in table.references(places)
    ]
    assert not lacking, f"Name the table in the comment (see football.…): {lacking}"
