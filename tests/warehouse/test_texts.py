"""Text that PostgreSQL refuses is cleaned on every connection of the package."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from sportmonks.warehouse.connection import open_connection


@pytest.mark.parametrize(("text", "found"), [("a\x00b", "ab"), ("1\ud83d", "1\ufffd"), ("München 😀", "München 😀")])
def test_texts(empty_dsn: str, text: str, found: str) -> None:
    with open_connection(empty_dsn) as conn:
        assert conn.execute("SELECT %s, %s::text, %t::text", (text, text, text)).fetchone() == (found, found, found)
        assert conn.execute("SELECT %b, %s::text[]", (text, [text])).fetchone() == (found, [found])
        with conn.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE kept (a text, b jsonb)")
            with cursor.copy("COPY kept FROM STDIN") as copy:
                copy.write_row((text, Jsonb({text: [text]})))
            assert cursor.execute("SELECT a, b FROM kept").fetchone() == (found, {found: [found]})


def test_values_of_json(empty_dsn: str) -> None:
    value: dict[str, Any] = {"a\x00": [nan, inf, 1.5], "b": ["\udc00", None, True, 10**400], "c": "ü\\u0000"}
    clean = {"a": [None, None, 1.5], "b": ["\ufffd", None, True, 10**400], "c": "ü\\u0000"}
    with open_connection(empty_dsn) as conn:
        assert conn.execute("SELECT %s", (Jsonb(value),)).fetchone() == (clean,)
