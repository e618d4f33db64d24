"""The installation of `installation/`: what is known of it, and its databases into a server."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from local.stack.airflow import METADATA_DATABASE
from local.stack.files import free_port, write_json
from local.stack.postgres import DATABASE, EmbeddedPostgres
from tests.harness.paths import REPO

FOLDER = Path(__file__).with_name("installation")
FACTS: dict[str, Any] = json.loads((FOLDER / "facts.json").read_text(encoding="utf-8"))
LEAGUES: dict[str, dict[str, Any]] = FACTS["leagues"]
TAKEN_AT = datetime.fromisoformat(FACTS["taken_at"])
# How long ago the old code stopped. Long enough for its leases to be over.
STOPPED = timedelta(minutes=10)
# Columns of the schema football that the provider fills: they belong to the match, not to its collection.
OF_THE_MATCH = ["starting_at", "started_at", "ended_at", "last_played_at"]


@cache
def text_of(database: str) -> str:
    """The dump of ``warehouse`` or ``airflow``."""
    return gzip.decompress((FOLDER / f"{database}.sql.gz").read_bytes()).decode()


def parts_of(database: str) -> Iterator[tuple[str, str, str]]:
    """(statements, the COPY after them, its rows) in the order of the dump; the last part has no COPY."""
    statements: list[str] = []
    lines = iter(text_of(database).splitlines(keepends=True))
    for line in lines:
        if line.startswith("COPY ") and line.endswith(" FROM stdin;\n"):
            yield "".join(statements), line, "".join(iter(lambda: next(lines), "\\.\n"))
            statements = []
        else:
            statements.append(line)
    yield "".join(statements), "", ""


def rows_of(database: str, table: str) -> list[dict[str, str]]:
    """Rows of one table as the dump writes them, escapes of COPY resolved; no NULL is told from its sign."""
    for _, copy, rows in parts_of(database):
        if copy.startswith(f"COPY {table} ("):
            columns = copy.partition("(")[2].partition(")")[0].replace('"', "").split(", ")
            values = (line.replace("\\\\", "\\").split("\t") for line in rows.splitlines())
            return [dict(zip(columns, row, strict=True)) for row in values]
    raise AssertionError(f"the dump of {database} has no table {table}")


def restore(dsn: str, database: str) -> None:
    """The dump into an empty database."""
    with psycopg.connect(dsn) as conn, conn.cursor() as cursor:
        for statements, copy, rows in parts_of(database):
            cursor.execute(statements.encode())
            if copy:
                with cursor.copy(copy.encode()) as stream:
                    stream.write(rows)


def install(state: Path) -> EmbeddedPostgres:
    """The state folder of the old installation on a running server of its own, as if the old code had just stopped."""
    server = EmbeddedPostgres(state)
    server.start()
    (state / "airflow").mkdir()
    write_json(state / "ports.json", {"sandbox": free_port()})
    (state / "airflow" / "fernet.key").write_text(FACTS["fernet_key"], encoding="utf-8")
    restore(server.ensure_database(DATABASE), "warehouse")
    move_times(server.conninfo(DATABASE))
    restore(server.ensure_database(METADATA_DATABASE), "airflow")
    return server


def move_times(dsn: str) -> None:
    """The warehouse's own times move on to ``STOPPED`` ago. Triggers stay silent, and what belongs to a match keeps its
    time."""
    # Whole seconds, so that a time as text keeps its length.
    moved = timedelta(seconds=int((datetime.now(UTC) - STOPPED - TAKEN_AT).total_seconds()))
    columns = """
        SELECT table_schema, table_name, array_agg(column_name::text) FROM information_schema.columns
         JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema IN ('etl', 'raw', 'football') AND table_type = 'BASE TABLE'
          AND data_type = 'timestamp with time zone' AND NOT (table_schema = 'football' AND column_name = ANY (%s))
        GROUP BY 1, 2"""
    with psycopg.connect(dsn) as conn:
        conn.execute("SET LOCAL session_replication_role = replica")
        for schema, table, names in conn.execute(columns, (OF_THE_MATCH,)).fetchall():
            changes = sql.SQL(", ").join(sql.SQL("{0} = {0} + %(by)s").format(sql.Identifier(name)) for name in names)
            conn.execute(sql.SQL("UPDATE {} SET {}").format(sql.Identifier(schema, table), changes), {"by": moved})
        for answer_id, packed in conn.execute("SELECT answer_id, packed FROM etl.fetched_answers").fetchall():
            values = (_move_time_of_call(packed, moved), answer_id)
            conn.execute("UPDATE etl.fetched_answers SET packed = %s WHERE answer_id = %s", values)


def _move_time_of_call(packed: bytes, moved: timedelta) -> bytes:
    """A kept answer, otherwise left in its old form: its time stands within it as text."""
    raw = zlib.decompress(packed)
    (text,) = re.findall(rb'"at":"([^"]+Z)"', raw)
    time = (datetime.fromisoformat(text.decode()) + moved).isoformat().replace("+00:00", "Z").encode()
    assert len(time) == len(text)
    return zlib.compress(raw.replace(text, time))


def copy_include(target: Path) -> None:
    """The new code's ``include/`` with the user's own files in it, as they were."""
    shutil.copytree(REPO / "include", target)
    shutil.rmtree(target / "routes")
    shutil.copytree(FOLDER / "routes", target / "routes")
    shutil.copy(FOLDER / "catalog.yaml", target / "catalog.yaml")


def executions() -> list[dict[str, str]]:
    """The runs of before, oldest first."""
    return sorted(rows_of("warehouse", "etl.etl_executions"), key=lambda row: row["started_at"])


def alerts() -> dict[int, dict[str, str]]:
    """The alerts of before by id."""
    return {int(row["alert_id"]): row for row in rows_of("warehouse", "etl.etl_alerts")}
