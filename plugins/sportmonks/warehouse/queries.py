"""SQL by name: every statement of the package is in ``include/sql``, and Python holds only its name.

``sql("plan/pending")`` is either the file ``plan/pending.sql`` (long statements) or the section that begins with
``-- name: plan/pending`` in ``queries/plan.sql`` (short ones, grouped by domain). Parameters are always bound by name,
``%(fixture_id)s``.
"""

from __future__ import annotations

import difflib
import re
from functools import cached_property
from pathlib import Path

from psycopg import sql as compose

from sportmonks.config.settings import SQL_DIR

_NO_QUERIES = {"queries", "migrations", "functions", "views", "comments"}
_SECTION = re.compile(r"^-- name: (\S+)$", re.MULTILINE)


class UnknownQueryError(LookupError):
    """No file and no section of ``include/sql`` has this name."""


class Query(str):
    """The text of a statement that knows its ``name``, so that logs, ``pg_stat_activity`` and tests speak of names.

    The text begins with the line ``-- name: <name>``.
    """

    name: str

    def __new__(cls, name: str, text: str) -> Query:
        query = super().__new__(cls, f"-- name: {name}\n{text}")
        query.name = name
        return query

    def __repr__(self) -> str:
        return f"<Query {self.name}>"

    def with_identifiers(self, **identifiers: compose.Identifier) -> Query:
        """The same query with ``{placeholders}`` replaced by quoted identifiers; nothing else is ever composed."""
        text = compose.SQL(self).format(**identifiers).as_string(None)
        return Query(self.name, text.partition("\n")[2])


class QueryFiles:
    """The queries below one folder, read once, at first use."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files: dict[str, Query] = {}

    def __call__(self, name: str) -> Query:
        """The query of that name. Raises UnknownQueryError, which lists similar names."""
        found = self.sections.get(name) or self._files.get(name)
        if found is None:
            file = self.root / f"{name}.sql"
            if not file.is_file():
                near = difflib.get_close_matches(name, self.names(), n=3, cutoff=0.5)
                also = f" Similar: {', '.join(near)}." if near else ""
                raise UnknownQueryError(f"There is no query {name} in {self.root}.{also}")
            found = self._files[name] = Query(name, file.read_text(encoding="utf-8"))
        return found

    def names(self) -> list[str]:
        """Every name, sorted: of long queries (a file each) and of sections. The schema's files are no queries."""
        files = (file.relative_to(self.root).with_suffix("").as_posix() for file in self.root.rglob("*.sql"))
        return sorted({*self.sections, *(name for name in files if name.partition("/")[0] not in _NO_QUERIES)})

    @cached_property
    def sections(self) -> dict[str, Query]:
        """The queries of ``queries/<domain>.sql`` by name.

        Raises ValueError for a name outside its file's domain, and for one that exists twice.
        """
        found: dict[str, Query] = {}
        for file in sorted((self.root / "queries").glob("*.sql")):
            head, *parts = _SECTION.split(file.read_text(encoding="utf-8"))
            for name, text in zip(parts[::2], parts[1::2], strict=True):
                if name.partition("/")[0] != file.stem:
                    raise ValueError(f"{file.name} names {name}: names there begin with {file.stem}/.")
                if name in found or (self.root / f"{name}.sql").exists():
                    raise ValueError(f"There are two queries {name}, one of them in {file.name}.")
                found[name] = Query(name, text.strip("\n") + "\n")
            if any(line and not line.startswith("--") for line in head.splitlines()):
                raise ValueError(f"{file.name} has a statement before its first line '-- name: {file.stem}/...'.")
        return found


sql = QueryFiles(SQL_DIR)


def script(*names: str) -> Query:
    """Several statements without parameters, to be sent in one round trip. Each must end in a semicolon."""
    return Query(" + ".join(names), "\n".join(sql(name) for name in names))
