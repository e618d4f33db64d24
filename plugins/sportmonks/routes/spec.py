"""A route and its period as plain structures. A path into JSON is dotted text in YAML and a tuple of keys here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from sportmonks.api.page_spec import PageSpec
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.routes.json_path import ELEMENT
from sportmonks.routes.names import run_name, table_name

Format = Literal["auto", "json", "ndjson", "csv"]
AuthKind = Literal["auto", "none", "bearer", "basic", "header", "query", "oauth2"]


@dataclass(frozen=True)
class AuthSpec:
    """How requests authenticate. ``name``: of the header or query parameter that carries the password; ``prefix``: put
    in front of it. ``oauth2``: login = client id, password = client secret; ``token_url`` may be relative to the base
    URL; ``credentials``: where the token's request carries them; ``parameters``: what else is sent with them, such as
    an audience. With ``grant: refresh_token`` the connection's extra has the key ``refresh_token``."""

    type: AuthKind = "auto"
    name: str = ""
    prefix: str = ""
    token_url: str = ""
    scope: str = ""
    credentials: Literal["body", "json", "basic"] = "body"
    grant: Literal["client_credentials", "refresh_token"] = "client_credentials"
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PeriodSpec:
    """The API's names and format for a period; the period includes both days.

    ``date_to`` is empty for an API that takes a beginning only. ``format``: strftime, or ``epoch``, ``epoch_ms``,
    ``iso``, ``week`` (2026-W07). A format with a time of day gets 00:00:00 and 23:59:59 (or the next day's 00:00:00
    with ``to_exclusive``; with ``from_exclusive`` a second, or of plain days a day, earlier). ``timezone``: the days
    are those of that zone; ``iso`` and epochs are the instants at which they begin there.
    """

    date_from: str
    date_to: str = ""
    format: str = "%Y-%m-%d"
    max_days: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    max_hours: Annotated[int, Meta(ge=1, le=23)] | None = None  # of a day, where one brings more than an API shows
    first_days: Annotated[int, Meta(ge=0, le=100_000)] = 30  # days that the first run covers
    # Days that scheduled runs read again, for records that came late.
    lookback_days: Annotated[int, Meta(ge=0, le=10_000)] = 2
    lookahead_days: Annotated[int, Meta(ge=0, le=10_000)] = 0
    to_exclusive: bool = False
    from_exclusive: bool = False
    timezone: str = "UTC"


@dataclass(frozen=True)
class ForEach:
    """What a route has one listing for each of. Either a query of ``include/sql/routes/for_each`` (``name``), lists of
    values (``values``: placeholder and its values, combined), or the records of a route's table (``table``: its name,
    ``take``: placeholder and path in the record)."""

    name: str
    columns: tuple[str, ...]
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    table: str = ""
    take: tuple[tuple[str, JsonPath], ...] = ()

    def __str__(self) -> str:
        return self.name


_PLACE = re.compile(r"\[(\d+)\]$")
# Types of typed columns -> how PostgreSQL reads them from text; a value that does not fit becomes NULL.
COLUMN_TYPES = ("text", "bigint", "integer", "numeric", "boolean", "timestamptz", "date", "jsonb")


@dataclass(frozen=True)
class Column:
    """A typed column of the view of the newest records. ``path``: in the record."""

    name: str
    path: JsonPath
    type: str


@dataclass(frozen=True)
class Route:
    """One YAML file of ``include/routes``."""

    client: str
    route: str
    connection: str
    path: str
    api: Literal["sportmonks", "rest"] = "rest"
    auth: AuthSpec = field(default_factory=AuthSpec)
    query: tuple[tuple[str, str | tuple[str, ...]], ...] = ()  # several values: the parameter is repeated
    method: Literal["GET", "POST"] = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None  # JSON text with placeholders
    include: tuple[str, ...] = ()
    entity: str | None = None
    paging: PageSpec = field(default_factory=PageSpec)
    paging_declared: bool = True  # False: an answer that names a further page is an error
    format: Format = "auto"
    delimiter: str | None = None  # of CSV; None = the one that the header has most of
    charset: str | None = None  # None = what the answer declares, else UTF-8
    records: JsonPath = ("data",)
    records_as: Literal["auto", "list", "object", "values"] = "auto"
    fields: tuple[str, ...] = ()  # names of the values of a record that is a list; "header" or ".path"
    missing_records: Literal["error", "empty"] = "error"
    error_fields: tuple[JsonPath, ...] | None = None  # None: the usual names
    period: PeriodSpec | None = None
    date_field: JsonPath | None = None
    date_format: str | None = None
    undated: Literal["keep", "drop"] = "keep"
    key: tuple[JsonPath, ...] = ()
    hash_without: tuple[JsonPath, ...] = ()
    mode: Literal["append", "replace"] = "append"  # replace: what a complete run did not bring is marked as deleted
    columns: tuple[Column, ...] = ()
    for_each: ForEach | None = None
    retry_max: Annotated[int, Meta(ge=0, le=50)] = 5
    batch_export: Annotated[int, Meta(ge=1, le=100_000)] = 50
    queue_pages: Annotated[int, Meta(ge=1, le=1000)] = 4
    resume_hours: Annotated[float, Meta(ge=0, le=10_000)] = 24.0
    timeout_seconds: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    schedule: str | None = None
    start_date: date | None = None  # None: a new route waits for its next scheduled time
    retries: Annotated[int, Meta(ge=0, le=20)] = 2
    deadline_minutes: Annotated[float, Meta(ge=1, le=10_080)] | None = None
    execution_timeout_minutes: Annotated[int, Meta(ge=10, le=10_080)] = 1440  # of a try of the extraction
    description: str = ""
    tags: tuple[str, ...] = ()
    file: str = ""

    @property
    def table(self) -> str:
        """The table's name within schema raw."""
        return table_name(self.client, self.route)

    @property
    def name(self) -> str:
        """The DAG's and the collector's name."""
        return run_name(self.client, self.route)

    @property
    def key_paths(self) -> list[str] | None:
        """The paths of ``key`` as dotted text, as JSON where a key has a dot itself; None when the route has no key."""
        return [path_text(path) for path in self.key] or None


def sql_path(path: JsonPath) -> JsonPath:
    """The keys of a path as PostgreSQL takes them: ``lines[0]`` is two of them."""
    return tuple(part for key in path for part in _PLACE.sub(r"\0\1", key).split("\0"))


def json_path_text(path: JsonPath) -> str:
    """A path as PostgreSQL's SQL/JSON path, with elements of lists by their place or by a field."""
    parts = []
    for key in path:
        element = ELEMENT.fullmatch(key)
        name = key if element is None else element["name"]
        parts += [f".{json.dumps(name)}"] if name else []
        if element is not None and element["index"] is not None:
            place = int(element["index"])
            parts.append(f"[{place}]" if place >= 0 else f"[last - {-place - 1}]")
        elif element is not None:
            parts.append(f"[*] ? (@.{json.dumps(element['field'])} == {json.dumps(element['value'])})")
    return "strict $" + "".join(parts)


def path_text(path: JsonPath) -> str:
    """A path as etl.path_parts reads it: dotted text, or JSON where one of its keys has a dot."""
    path = sql_path(path)
    return json.dumps(path) if any("." in part or part.startswith("[") for part in path) else ".".join(path)
