"""Log lines of the warehouse: the newest ones, and those that come after them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from local.cli.arguments import near_hint
from local.errors import UsageError
from local.stack.queries import query

if TYPE_CHECKING:
    import psycopg

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Processes commit their lines in any order, so a line may appear behind others with higher ids. That many ids are read
# again each time, and lines that have been shown are left out.
OVERLAP = 2_000


@dataclass(frozen=True)
class LogFilter:
    level: str | None = None
    component: str | None = None
    text: str | None = None
    execution_id: str | None = None
    execution_ids: tuple[str, ...] | None = None  # of new lines only
    league_id: int | None = None
    chunk_id: str | None = None

    @property
    def levels(self) -> list[str] | None:
        return None if self.level in (None, "DEBUG") else list(LEVELS[LEVELS.index(str(self.level)) :])


def find_league(conn: psycopg.Connection[Any], text: str) -> int:
    """The league of that id or name. UsageError with near names."""
    leagues = conn.execute(query("look/leagues")).fetchall()
    wanted = text.strip().casefold()
    found = [row[0] for row in leagues if wanted in (str(row[0]), str(row[1]).casefold())]
    if len(found) == 1:
        return int(found[0])
    names = [f"{name} ({league_id})" for league_id, name in leagues]
    if found:
        raise UsageError(
            f"--league {text!r} is the name of several leagues",
            hint=f"give the id: {', '.join(name for name in names if name.casefold().startswith(wanted))}",
        )
    near = [name for name in names if wanted in name.casefold()]
    raise UsageError(
        f"--league {text[:60]!r} is none of the {len(leagues)} leagues in the warehouse",
        hint=f"near: {', '.join(near[:10])}" if near else near_hint(text, names),
    )


def newest(conn: psycopg.Connection[Any], chosen: LogFilter, limit: int) -> list[dict[str, Any]]:
    """The newest lines, oldest first."""
    from sportmonks.dashboard import queries

    if chosen.league_id is not None and chosen.chunk_id is None:
        rows = _rows(conn, "look/league_logs", chosen, limit=limit)
        return rows[::-1]
    found = queries.search_logs(
        conn,
        limit=limit,
        seconds=30,
        level=chosen.level,
        component=chosen.component,
        text=chosen.text,
        execution_id=chosen.execution_id,
        chunk_id=chosen.chunk_id,
    )
    return list(reversed(found["rows"]))


def last_id(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute(query("look/last_log")).fetchone()
    return int(row[0]) if row else 0


class NewRows:
    """The lines with higher ids than `after`, each once; `shown` are ids that have been printed before."""

    def __init__(self, chosen: LogFilter, after: int) -> None:
        self._chosen = chosen
        self._begin = after
        self._seen: set[int] = set()
        self._last = after

    def read(self, conn: psycopg.Connection[Any]) -> Iterator[dict[str, Any]]:
        for row in _rows(conn, "look/new_logs", self._chosen, after=max(self._begin, self._last - OVERLAP)):
            if row["log_id"] not in self._seen:
                self._seen.add(row["log_id"])
                self._last = max(self._last, row["log_id"])
                yield row
        self._seen = {log_id for log_id in self._seen if log_id > self._last - OVERLAP}


def _rows(conn: psycopg.Connection[Any], name: str, chosen: LogFilter, **more: Any) -> list[dict[str, Any]]:
    from sportmonks.dashboard.queries import plain

    parameters = {
        "league_id": chosen.league_id,
        "chunk_id": chosen.chunk_id,
        "execution_id": chosen.execution_id,
        "execution_ids": None if chosen.execution_ids is None else list(chosen.execution_ids),
        "levels": chosen.levels,
        "component": chosen.component,
        "text": chosen.text,
    }
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query(name), parameters | more).fetchall()
    return [{key: plain(value) for key, value in row.items()} for row in found]
