"""The queries of the command line: `local/stack/sql/<name>.sql`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("sql")


@cache
def query(name: str) -> bytes:
    """The text of a query, as bytes: psycopg accepts only literal strings or bytes."""
    return (FOLDER / f"{name}.sql").read_bytes()
