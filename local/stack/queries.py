"""The command line's own questions to the warehouse: `local/stack/sql/<name>.sql`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("sql")


@cache
def query(name: str) -> bytes:
    """The text of a query, as bytes: psycopg takes those from files without further ado."""
    return (FOLDER / f"{name}.sql").read_bytes()
