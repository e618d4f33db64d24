"""The schema as text, out of the catalogs: what `schema.snapshot.txt` holds and what a review sees of a change.

python -m tests.warehouse.snapshot   writes the file anew (in a database of its own, on a server of its own)
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

FILE = Path(__file__).with_name("schema.snapshot.txt")
SCHEMAS = ["etl", "football", "raw"]

TABLES = """
SELECT n.nspname || '.' || c.relname, c.relkind::text, c.oid
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 1
"""
COLUMNS = """
SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
       || CASE WHEN a.attidentity <> '' THEN ' IDENTITY'
               WHEN a.attgenerated <> '' THEN ' GENERATED ' || pg_get_expr(d.adbin, d.adrelid)
               WHEN d.oid IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# Constraints of NOT NULL (a kind of their own since version 18) stand with their columns.
CONSTRAINTS = """
SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s AND contype IN ('p', 'u', 'f', 'c', 'x') ORDER BY 1
"""
INDEXES = """
SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i
WHERE i.indrelid = %s AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid) ORDER BY 1
"""
FUNCTIONS = """
SELECT n.nspname || '.' || p.proname || '(' || pg_get_function_arguments(p.oid) || ') -> '
       || pg_get_function_result(p.oid) || CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' ELSE '' END,
       coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY (%s) ORDER BY 1
"""


def snapshot(conn: psycopg.Connection[Any]) -> str:
    """Tables with columns, constraints and indexes, views with columns, functions with a digest of their bodies."""

    def lines(query: str, value: Any) -> list[str]:
        return ["    " + row[0] for row in conn.execute(query, (value,))]

    found = []
    for place, kind, oid in conn.execute(TABLES, (SCHEMAS,)).fetchall():
        found.append(f"{'view' if kind == 'v' else 'table'} {place}")
        found += [*lines(COLUMNS, oid), *lines(CONSTRAINTS, oid), *lines(INDEXES, oid), ""]
    for signature, body in conn.execute(FUNCTIONS, (SCHEMAS,)).fetchall():
        digest = hashlib.sha256(" ".join(body.split()).encode()).hexdigest()[:12]
        found.append(f"function {signature}  [{digest}]")
    return "\n".join(found) + "\n"


def in_new_database(work: Callable[[psycopg.Connection[Any]], object]) -> None:
    """Call ``work`` with a connection to a migrated database on a server of its own."""
    from local.stack.postgres import EmbeddedPostgres
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.migrations import migrate

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.start()
        try:
            with open_connection(server.conninfo("postgres"), autocommit=True) as conn:
                migrate(conn)
                work(conn)
        finally:
            server.stop()


def main() -> None:
    in_new_database(lambda conn: FILE.write_text(snapshot(conn), encoding="utf-8"))


if __name__ == "__main__":
    main()
