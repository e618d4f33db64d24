"""docs/reference/schema.md out of a migrated database: diagrams, and every table, view and function with its comment.

python -m tests.warehouse.schema_page   writes the page anew (in a database of its own, on a server of its own)

There are no foreign keys between provider tables (docs/adr/0011): a column refers to the tables that its comment names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.harness.paths import REPO
from tests.warehouse.snapshot import SCHEMAS, in_new_database

FILE = REPO / "docs" / "reference" / "schema.md"
ROOMS = {
    "football": "What analysts read. The views at the end answer the usual questions with names instead of ids.",
    "raw": "Each raw route has a table here, too, all with the same columns, and a view of its newest records.",
    "etl": "[Monitoring](../operations/monitoring.md) explains what to look at, and how long rows stay.",
}
INTRODUCTION = """\
# The schema of the warehouse

Every table, view and function, with its comment in the database (`\\d+` in psql shows the same).
[Analysis](../guides/analysis.md) says how to use them. This page is written from a migrated database by
`PYTHONPATH=plugins:. python -m tests.warehouse.schema_page`, and a test compares the two.

Times are `timestamptz`; days are days in UTC. Ids are the provider's. In the diagrams a line means that a column refers
to a row of another table; the database has no foreign keys, because the provider also refers to rows that it does not
deliver.
"""

TABLES = """
SELECT n.nspname, c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'), c.oid
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY c.relkind = 'v', c.relname
"""
COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, col_description(a.attrelid, a.attnum),
       EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey))
FROM pg_attribute a WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
FUNCTIONS = """
SELECT n.nspname, p.proname, pg_get_function_arguments(p.oid), obj_description(p.oid, 'pg_proc'),
       coalesce(array_to_string(ARRAY(SELECT x.name FROM unnest(p.proargnames, p.proargmodes) AS x(name, mode)
                                      WHERE x.mode = 't'), ', '), '')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY (%s) ORDER BY 2, 3
"""
COMMENTS = "SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = ANY (%s)"
# Types as a diagram can show them: one word.
SHORT_TYPES = {"timestamp with time zone": "timestamptz", "double precision": "double"}


@dataclass
class Column:
    name: str
    type: str
    required: bool
    comment: str
    key: bool


@dataclass
class Table:
    schema: str
    name: str
    is_view: bool
    comment: str
    columns: list[Column] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.schema}.{self.name}"

    def references(self, tables: set[str]) -> list[tuple[str, str]]:
        """(column, table that its comment names), without references to itself."""
        found = []
        for column in self.columns:
            for place in re.findall(r"\b(?:etl|football|raw)\.\w+", column.comment):
                if place in tables and place != self.place:
                    found.append((column.name, place))
        return found


def read_tables(conn: psycopg.Connection[Any]) -> list[Table]:
    tables = []
    for schema, name, kind, comment, oid in conn.execute(TABLES, (SCHEMAS,)).fetchall():
        columns = [Column(*row) for row in conn.execute(COLUMNS, (oid,))]
        tables.append(Table(schema, name, kind in ("v", "m"), comment, columns))
    return tables


def diagram(schema: str, tables: list[Table]) -> list[str]:
    """An entity-relationship diagram of the tables of a schema: keys and what they refer to."""
    places = {table.place for table in tables if not table.is_view}
    lines, entities = [], []
    for table in (table for table in tables if table.schema == schema and not table.is_view):
        references = table.references(places)
        shown = [column for column in table.columns if column.key or column.name in dict(references)]
        entities.append(f"    {table.name} {{")
        for column in shown:
            kind = SHORT_TYPES.get(column.type, column.type).replace("[]", "_array")
            entities.append(f"        {kind} {column.name}{' PK' if column.key else ''}")
        entities.append("    }")
        for column_name, place in references:
            other = place.removeprefix(f"{schema}.").replace(".", "_")
            lines.append(f"    {other} ||--o{{ {table.name} : {column_name}")
    return ["```mermaid", "erDiagram", *entities, *lines, "```"]


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def described(table: Table) -> list[str]:
    lines = [f"### {table.place}", "", f"{'View. ' if table.is_view else ''}{table.comment}", ""]
    lines += ["| column | type | what it is |", "|---|---|---|"]
    for column in table.columns:
        kind = SHORT_TYPES.get(column.type, column.type)
        notes = ", key" if column.key else ", never NULL" if column.required else ""
        lines.append(f"| `{column.name}` | {kind}{notes} | {cell(column.comment)} |")
    return [*lines, ""]


def page(conn: psycopg.Connection[Any]) -> str:
    """The page, for the database of ``conn``, which has no raw routes."""
    tables = read_tables(conn)
    about = dict(conn.execute(COMMENTS, (SCHEMAS,)).fetchall())
    functions = conn.execute(FUNCTIONS, (SCHEMAS,)).fetchall()
    lines = [INTRODUCTION]
    for schema, room in ROOMS.items():
        lines += [f"## {schema}", "", about[schema], room, ""]
        lines += [*diagram(schema, tables), ""]
        for table in tables:
            if table.schema == schema:
                lines += described(table)
        mine = [row for row in functions if row[0] == schema]
        if mine:
            lines += [f"### Functions of {schema}", "", "| function | what it does |", "|---|---|"]
            for _, name, arguments, comment, columns in mine:
                found = f" Columns: {columns}." if columns else ""
                lines.append(f"| `{name}({cell(arguments)})` | {cell(comment)}{found} |")
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    in_new_database(lambda conn: FILE.write_text(page(conn), encoding="utf-8"))


if __name__ == "__main__":
    main()
