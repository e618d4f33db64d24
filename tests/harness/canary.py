"""Looks for a key everywhere that a process writes: tables of a database, texts, files, command lines of processes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

# Long enough that no other text holds it by chance, and with characters of both cases.
KEY = "Canary-7Jx2mQ9vTz4LkW8p-Key"

TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1, 2
"""


def forms_of(key: str) -> list[str]:
    """How the key may be written, in lower case; of its base64 the part that does not depend on what stands before."""
    encoded = [base64.b64encode(bytes(n) + key.encode()).decode()[4:-4] for n in range(3)]
    texts = [key, quote(key, safe="").replace("-", "%2d"), key.encode().hex(), *encoded]
    return [text.lower() for text in texts]


def found_in(text: str, key: str = KEY) -> bool:
    folded = text.lower()
    return any(form in folded for form in forms_of(key))


def rows_with(conn: psycopg.Connection[Any], key: str = KEY) -> list[str]:
    """Names of the tables that hold the key, with the beginning of the row."""
    found = []
    for schema, table in conn.execute(TABLES).fetchall():
        statement = sql.SQL("SELECT t::text FROM {} t WHERE lower(t::text) LIKE ANY (%s)")
        patterns = ["%" + form.replace("%", r"\%") + "%" for form in forms_of(key)]
        query = statement.format(sql.Identifier(schema, table))
        found += [f"{schema}.{table}: {row[0][:300]}" for row in conn.execute(query, (patterns,)).fetchall()]
    return found


def files_with(folder: Path, key: str = KEY) -> list[str]:
    """Files below ``folder`` that hold the key."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [str(file) for file in files if found_in(file.read_bytes().decode("latin-1"), key)]


def command_lines_with(key: str = KEY) -> list[str]:
    """Command lines of this machine's processes that hold the key."""
    return [line for line in _command_lines() if found_in(line, key)]


def _command_lines() -> Iterator[str]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield file.read_bytes().decode("latin-1").replace("\0", " ")
        except OSError:
            continue  # it has ended meanwhile
