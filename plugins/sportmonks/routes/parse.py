"""Reads route files (YAML) into :class:`Route`; every mistake is reported with its file, line and key."""

from __future__ import annotations

import codecs
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sportmonks.api.paths import entity_of
from sportmonks.config.conversion import near_hint, shown
from sportmonks.config.settings import API_CONN_ID, ROUTES_DIR
from sportmonks.config.strict_yaml import Document, Section
from sportmonks.errors import ConfigurationError, SportmonksError
from sportmonks.routes.names import name_part
from sportmonks.routes.parse_parts import (
    check_period,
    read_columns,
    read_for_each,
    read_paging,
    read_period,
)
from sportmonks.routes.parse_request import read_auth, read_body, read_pairs, read_query
from sportmonks.routes.request import PAGING, credentials_in, named_in_route, names_in, values_of
from sportmonks.routes.spec import Route

# Fields of a route that are found out, not written.
_NO_KEYS = ("paging_declared", "file")
_PRESETS = ("@once", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly", "@continuous")


@dataclass(frozen=True)
class Problem:
    """A file that is not a route; ``message`` has one line per mistake, each with file and line."""

    file: str
    message: str

    @property
    def name(self) -> str:
        """The name of the DAG that shows the problem."""
        return f"raw_problem_{name_part(Path(self.file).stem) or 'file'}"


def load_routes(folder: Path | None = None) -> tuple[list[Route], list[Problem]]:
    """Every ``*.yaml`` and ``*.yml`` of ``folder`` (default include/routes), by name; a bad file is a Problem."""
    folder = folder or ROUTES_DIR
    routes: list[Route] = []
    problems: list[Problem] = []
    files = sorted(file for file in folder.glob("*.y*ml") if file.suffix in (".yaml", ".yml"))
    owners: dict[str, Route] = {}
    for file in files:
        try:
            route = parse_route(file.read_text(encoding="utf-8"), file=file.name)
        except (SportmonksError, OSError, UnicodeDecodeError) as error:
            text = str(error) if isinstance(error, SportmonksError) else f"{file.name}: cannot be read ({error})."
            problems.append(Problem(file.name, text))
            continue
        first = owners.setdefault(route.table, route)
        if first is not route:
            problems.append(
                Problem(
                    file.name,
                    f"{file.name}: client '{route.client}' route '{route.route}' would share the table"
                    f" raw.{route.table} with {first.file}. Rename the client or the route.",
                )
            )
            continue
        routes.append(route)
    return routes, problems


def route_includes() -> list[tuple[str, str]]:
    """(entity, include) that the routes of the Sportmonks API request."""
    routes, _ = load_routes()
    return [
        (route.entity or entity_of(route.path), include)
        for route in routes
        if route.api == "sportmonks"
        for include in route.include
    ]


def scheduled_routes(folder: Path | None = None, now: datetime | None = None) -> list[dict[str, Any]]:
    """``name``, ``table_name`` and ``hours`` of the routes that run by themselves: the longest time between two of the
    next eight runs. A route that runs once, or all the time, has no such time."""
    routes, _ = load_routes(folder)
    return [
        {"name": route.name, "table_name": route.table, "hours": hours}
        for route in routes
        if (hours := _hours_between_runs(route.schedule, now or datetime.now(UTC))) is not None
    ]


def _hours_between_runs(schedule: str | None, now: datetime) -> float | None:
    if schedule in (None, "@once", "@continuous"):
        return None
    from croniter import croniter  # type: ignore[import-untyped]

    times = croniter({"@quarterly": "0 0 1 */3 *"}.get(str(schedule), schedule), now)
    following: list[float] = [times.get_next(float) for _ in range(9)]
    return max(later - earlier for earlier, later in itertools.pairwise(following)) / 3600


def parse_route(text: str, *, file: str = "route.yaml") -> Route:
    """One route. Raises ConfigurationError with one line per mistake (``file, line N: key ...``)."""
    document = Document(text, file, start="Start with client:, route:, path:.")
    if document.is_empty:
        raise ConfigurationError(f"{file}: expected keys and values.", hint="Start with client:, route:, path:.")
    route = _route(document.section(document.data, "", Route, without=_NO_KEYS), document, file)
    document.raise_mistakes()
    return route


def _route(top: Section, document: Document, file: str) -> Route:
    client = top.required("client", "Name whose data this is, such as client: sportmonks.")
    route = top.required("route", "Name what is collected, such as route: transfers.")
    for name, text in (("client", client), ("route", route)):
        if text and not name_part(text):
            top.wrong(name, f"is '{text}'", "Use at least one ASCII letter or digit: it names the table.")
    connection = top.text("connection", API_CONN_ID)
    api = top.value("api", "sportmonks" if connection == API_CONN_ID else "rest")
    body = read_body(top)
    query, headers = read_query(top), read_pairs(top, "headers", top.data.get("headers"))
    path = top.required("path", "Write the path below the connection's base URL, such as path: /v1/orders.")
    named = names_in([path, body or "", *(text for _, value in (*query, *headers) for text in values_of(value))])
    key = top.json_paths("key")
    found = Route(
        client=client,
        route=route,
        description=top.text("description"),
        tags=top.texts("tags"),
        connection=connection,
        api=api,
        auth=read_auth(top, document),
        path=path,
        query=query,
        method=top.value("method", "GET" if body is None else "POST"),
        headers=headers,
        body=body,
        include=top.texts("include"),
        entity=top.text("entity"),
        paging=read_paging(top, document, api, named),
        paging_declared=api == "sportmonks" or top.data.get("paging") is not None,
        format=top.value("format"),
        delimiter=_delimiter(top),
        charset=_charset(top),
        records=top.json_path("records"),
        records_as=top.value("records_as"),
        fields=top.texts("fields"),
        missing_records=top.value("missing_records"),
        error_fields=None if top.data.get("error_fields") is None else top.json_paths("error_fields"),
        period=read_period(top, document),
        date_field=top.json_path("date_field"),
        date_format={"date": "%Y-%m-%d"}.get(top.text("date_format"), top.text("date_format")),
        undated=top.value("undated"),
        key=key,
        hash_without=top.json_paths("hash_without"),
        mode=top.value("mode"),
        columns=read_columns(top, key),
        for_each=read_for_each(top),
        retry_max=top.value("retry_max"),
        batch_export=top.value("batch_export"),
        queue_pages=top.value("queue_pages"),
        resume_hours=top.value("resume_hours"),
        timeout_seconds=top.value("timeout_seconds"),
        schedule=_schedule(top),
        start_date=top.day("start_date"),
        retries=top.value("retries"),
        deadline_minutes=top.value("deadline_minutes"),
        execution_timeout_minutes=top.value("execution_timeout_minutes"),
        file=file,
    )
    _check(top, found)
    return found


def _charset(top: Section) -> str | None:
    name = top.text("charset")
    try:
        return None if name is None else codecs.lookup(name).name
    except LookupError:
        top.wrong("charset", f"is '{name}', which is unknown", "Write one such as windows-1252 or iso-8859-1.")
        return None


def _delimiter(top: Section) -> str | None:
    value = top.data.get("delimiter")
    if value is None or (isinstance(value, str) and len(value) == 1):
        return value
    top.wrong("delimiter", f"is {shown(value)}", "Write one character, such as ';' or \"\\t\".")
    return None


def _check(top: Section, route: Route) -> None:
    """What cannot work, although each key by itself may."""
    path, period = route.path, route.period
    if "://" in path or "?" in path or "#" in path:
        top.wrong("path", f"is '{path}'", "Write the path alone: the host is the connection's, parameters go to query.")
    check_period(top, period)
    _check_placeholders(top, route)
    if route.mode == "replace":
        if period is not None:
            top.wrong(
                "mode", "is replace beside a period", "A full refresh reads everything each time: leave period out."
            )
        if not route.key:
            top.wrong("mode", "is replace without a key", "Give key: what vanished is found by it.")
    if route.api == "sportmonks":
        rest = {"auth", "method", "headers", "body", "format", "delimiter", "charset", "error_fields", "fields"}
        for key in sorted(rest & {name for name, value in top.data.items() if value is not None}):
            top.wrong(key, "does not apply to the Sportmonks API", "Remove it; the package's client knows this API.")
        for name in (name for name, value in route.query if not isinstance(value, str)):
            top.wrong("query", f"has several values of {name}", "This API separates them by commas or semicolons.")
    searched = [*route.key, *(column.path for column in route.columns)]
    for keys in (keys for keys in searched if any("[" in part and "=" in part for part in keys)):
        top.wrong("key" if keys in route.key else "columns", f"has {'.'.join(keys)}", "Write a place such as lines[0].")
    if any("[" in part for keys in route.hash_without for part in keys):
        top.wrong("hash_without", "names an element", "Leave the brackets out: a path leads through each element.")
    if route.body is not None and route.method == "GET":
        top.wrong("method", "is GET beside a body", "Write method: POST, or send the values in query.")
    if route.records_as == "values" and route.fields:
        top.wrong("fields", "is given beside records_as: values", "fields names the values of lists.")
    if route.delimiter and route.format not in ("auto", "csv"):
        top.wrong("delimiter", f"is given beside format: {route.format}", "It is for CSV.")


def _check_placeholders(top: Section, route: Route) -> None:
    period = route.period
    given = [
        *(route.for_each.columns if route.for_each else ()),
        *((period.date_from, period.date_to) if period else ()),
    ]
    known = [name for name in given if name]
    places = {
        "path": [route.path],
        "query": [text for _, value in route.query for text in values_of(value)],
        "headers": [value for _, value in route.headers],
        "body": [route.body or ""],
    }
    for key, templates in places.items():
        of_connection = credentials_in(templates, route) if route.api == "rest" else set()
        for name in sorted(names_in(templates) - set(known) - set(PAGING) - of_connection):
            near = near_hint(name, known, "Known") if known else "Declare period or for_each."
            if name.startswith("extra") or name in ("user", "username", "token", "key"):
                near = "Of the connection, a request may name {login}, {password} and {extra.NAME}."
            near += " If it is no placeholder, as in GraphQL: put a blank behind the brace."
            top.wrong(key, f"uses {{{name}}}, which nothing gives", near)
    used = named_in_route(route)
    for name in route.for_each.columns if route.for_each else ():
        # A query of include/sql may give more than one route needs.
        if route.for_each and (route.for_each.values or route.for_each.table) and name not in used:
            top.wrong("for_each", f"gives {name}, which no request uses", f"Write {{{name}}} into path, query or body.")


def _schedule(top: Section) -> str | None:
    text: str | None = top.text("schedule")
    if text is None or text.lower() in ("none", "null"):
        return None
    from croniter import croniter

    if text not in _PRESETS and not (len(text.split()) == 5 and croniter.is_valid(text)):
        top.wrong("schedule", f"is '{text}'", "Write five cron fields in UTC, such as '30 5 * * *', or @daily.")
        return None
    return text
