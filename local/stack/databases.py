"""Which database of the embedded server holds the rows of the sandbox, and which those of the API."""

from __future__ import annotations

import json
from collections.abc import Callable

import psycopg

from local.stack.files import read_json, write_json
from local.stack.postgres import DATABASE
from local.stack.queries import query
from local.stack.settings import Settings
from local.stack.started_with import StartedWith
from sportmonks.warehouse.source import SANDBOX


class Databases:
    """The names, in ``databases.json`` of the home folder. An older version had one database for both."""

    def __init__(self, settings: Settings, started_with: StartedWith, say: Callable[[str], None]) -> None:
        self._settings, self._started_with, self._say = settings, started_with, say
        self._file = settings.home / "databases.json"
        self._ports_file = settings.home / "ports.json"

    def known(self) -> dict[str, str]:
        """Names by ``sandbox`` and ``api``."""
        known = read_json(self._file)
        if set(known) >= {SANDBOX, "api"}:
            return known
        # An older version had one database for both. If it has ever run with the sandbox, it holds the sandbox's rows,
        # unless it last ran with the very key that is set now.
        with_key = not self._settings.sandbox and self._started_with.same(())
        if read_json(self._ports_file).get(SANDBOX) and not with_key:
            return _databases_of(SANDBOX)
        return _databases_of("api")

    def decide(self, conninfo: str) -> None:
        """Write down, once, which database is whose. That of an older version (``conninfo``) says itself what it holds,
        if it knows."""
        databases = self.known()
        if not self._file.exists():
            held = _held_source(conninfo)
            if held:
                databases = _databases_of(SANDBOX if held == SANDBOX else "api")
            elif databases[SANDBOX] == DATABASE:
                self._say(
                    f"the database {DATABASE} of an older version is taken for the sandbox's, and {databases['api']} is"
                    f" for a real key; if {DATABASE} holds data of a real key, end this with ./etl down, write"
                    f" {json.dumps(_databases_of('api'))} into {self._file}, and run ./etl up again"
                )
        write_json(self._file, databases)


def _databases_of(holder: str) -> dict[str, str]:
    """Names of the databases when the first one, of which an older version had no other, belongs to ``holder``."""
    return {name: DATABASE if name == holder else f"{DATABASE}_{name}" for name in (SANDBOX, "api")}


def _held_source(conninfo: str) -> str | None:
    """The API that the warehouse says it was filled from; None when it does not know."""
    try:
        with psycopg.connect(conninfo, connect_timeout=10) as connection:
            row = connection.execute(query("server/api_source")).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None
    return str(row[0]) if row else None
