"""Finds the table or view that the user named, and the statement that gives the rows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.sql import Identifier

from local.cli.arguments import near_hint, shown
from local.errors import LocalError, UsageError
from local.stack.checks import SCHEMAS
from local.stack.queries import query

if TYPE_CHECKING:
    import psycopg

    from sportmonks.warehouse.queries import Query


@dataclass(frozen=True)
class Relation:
    """A table or view of the warehouse; whether it has a column season_id, and one fixture_id."""

    schema: str
    name: str
    has_season: bool
    has_fixture: bool

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def find_relation(conn: psycopg.Connection[Any], text: str) -> Relation:
    """`football.fixtures`, or `fixtures` alone where only one schema has it. UsageError with near names."""
    known = [Relation(*row) for row in conn.execute(query("look/relations"), {"schemas": list(SCHEMAS)}).fetchall()]
    wanted = text.strip().casefold()
    found = [one for one in known if wanted in (str(one), one.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{shown(text)} is in several schemas", hint=f"give one of {', '.join(map(str, found))}")
    names = [str(one) for one in known] if "." in wanted else [one.name for one in known]
    raise UsageError(f"there is no table or view {shown(text)}", hint=near_hint(text, names))


def statement(conn: psycopg.Connection[Any], relation: Relation, season_id: int | None) -> Query:
    """The COPY of the rows to export; it takes ``season_id``.

    UsageError where the relation does not say to which season a row belongs, LocalError for a season that the warehouse
    does not know.
    """
    name = "export/everything"
    if season_id is not None:
        if conn.execute(query("look/season"), {"season_id": season_id}).fetchone() is None:
            raise LocalError(
                f"there is no season {season_id}", hint="./etl dashboard --coverage lists them with their ids"
            )
        name = _of_season(relation)
    return query(name).with_identifiers(table=Identifier(relation.schema, relation.name))


def _of_season(relation: Relation) -> str:
    if relation.has_season:
        return "export/of_season"
    if str(relation) == "football.seasons":
        return "export/season_itself"
    if relation.has_fixture:
        return "export/of_fixtures"
    raise UsageError(
        f"--season has no effect on {relation}, which has neither season_id nor fixture_id", hint="leave --season out"
    )
