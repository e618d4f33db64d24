"""Queries by name: found in files and in sections, unknown ones refused with similar names."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.sql import Identifier

from sportmonks.warehouse.queries import Query, QueryFiles, UnknownQueryError, script, sql


@pytest.fixture
def files(tmp_path: Path) -> QueryFiles:
    (tmp_path / "queries").mkdir()
    (tmp_path / "plan").mkdir()
    (tmp_path / "queries" / "plan.sql").write_text(
        "-- About plans.\n\n-- name: plan/one\n-- What is one?\nSELECT 1;\n\n"
        "-- name: plan/two\n-- What is two?\nSELECT 2;\n"
    )
    (tmp_path / "plan" / "long.sql").write_text("-- What is long?\nSELECT 3\n")
    return QueryFiles(tmp_path)


def test_a_section_and_a_file_are_queries_with_names(files: QueryFiles) -> None:
    assert files("plan/one") == "-- name: plan/one\n-- What is one?\nSELECT 1;\n"
    assert files("plan/two").name == "plan/two"
    assert files("plan/long") == "-- name: plan/long\n-- What is long?\nSELECT 3\n"
    assert repr(files("plan/long")) == "<Query plan/long>"
    assert files.names() == ["plan/long", "plan/one", "plan/two"]


def test_an_unknown_name_is_refused_with_similar_ones(files: QueryFiles) -> None:
    with pytest.raises(UnknownQueryError, match=r"There is no query plan/tow in .*\. Similar: plan/two"):
        files("plan/tow")
    with pytest.raises(UnknownQueryError, match=r"There is no query xyzzy in (?:(?!Similar).)*\.$"):
        files("xyzzy")


def test_a_name_that_exists_twice_is_refused(files: QueryFiles, tmp_path: Path) -> None:
    (tmp_path / "plan" / "one.sql").write_text("-- Another one.\nSELECT 1\n")
    with pytest.raises(ValueError, match=r"There are two queries plan/one, one of them in plan\.sql"):
        files("plan/one")


def test_a_name_of_another_domain_is_refused(files: QueryFiles, tmp_path: Path) -> None:
    (tmp_path / "queries" / "load.sql").write_text("-- name: plan/three\n-- Three?\nSELECT 3;\n")
    with pytest.raises(ValueError, match=r"load\.sql names plan/three: names there begin with load/"):
        files("plan/one")


def test_a_statement_without_a_name_is_refused(files: QueryFiles, tmp_path: Path) -> None:
    (tmp_path / "queries" / "load.sql").write_text("SELECT 0;\n-- name: load/three\n-- Three?\nSELECT 3;\n")
    with pytest.raises(ValueError, match=r"load\.sql has a statement before its first line '-- name: load/"):
        files("plan/one")


def test_identifiers_are_quoted_and_the_name_stays() -> None:
    query = Query("x/y", "SELECT * FROM {table} WHERE a = %(a)s AND b LIKE '%%'").with_identifiers(
        table=Identifier("raw", 'odd"name')
    )
    assert query.name == "x/y"
    assert query == '-- name: x/y\nSELECT * FROM "raw"."odd""name" WHERE a = %(a)s AND b LIKE \'%%\''


def test_a_script_holds_several_statements() -> None:
    both = script("load/json/sections", "load/json/scores")
    assert both.name == "load/json/sections + load/json/scores"
    assert both.count("-- name: load/json/") == 3
    assert sql("load/json/scores") in both
