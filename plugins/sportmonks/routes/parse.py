"""Reads route files (YAML) into :class:`Route`; every mistake is reported with its file, line and key."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from sportmonks.api.pagination import V3_PAGES, PageSpec
from sportmonks.api.paths import entity_of
from sportmonks.config.conversion import near_hint, shown
from sportmonks.config.settings import API_CONN_ID, ROUTES_DIR, SQL_DIR
from sportmonks.config.strict_yaml import Document, Section
from sportmonks.errors import ConfigurationError, SportmonksError
from sportmonks.routes.names import name_part
from sportmonks.routes.spec import PeriodSpec, Route

FOR_EACH_DIR = SQL_DIR / "routes" / "for_each"
# Fields of a route that are found out, not written.
_NO_KEYS = ("for_each_columns", "file")
_PRESETS = ("@once", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly", "@continuous")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_GIVES = re.compile(r"--\s*Gives:\s*([a-z_][a-z0-9_]*(?:\s*,\s*[a-z_][a-z0-9_]*)*)", re.I)


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


def route_includes(folder: Path | None = None) -> list[tuple[str, str]]:
    """(entity, include) that the routes of the Sportmonks API request."""
    routes, _ = load_routes(folder)
    return [
        (route.entity or entity_of(route.path), include)
        for route in routes
        if route.api == "sportmonks"
        for include in route.include
    ]


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
    sportmonks = connection == API_CONN_ID
    api = top.value("api", "sportmonks" if sportmonks else "rest")
    period = _period(top, document)
    for_each, columns = _for_each(top)
    query = _query(top)
    path = _path(top, period, columns, query)
    key = top.texts("key")
    return Route(
        client=client,
        route=route,
        description=top.text("description"),
        tags=top.texts("tags"),
        connection=connection,
        api=api,
        auth=top.text("auth"),
        path=path,
        query=query,
        include=top.texts("include"),
        entity=top.text("entity"),
        paging=_paging(top, document, api),
        records=top.json_path("records"),
        missing_records=top.value("missing_records"),
        period=period,
        date_field=top.json_path("date_field"),
        date_format=top.text("date_format"),
        undated=top.value("undated"),
        key=tuple(tuple(part.split(".")) for part in key),
        hash_without=tuple(tuple(part.split(".")) for part in top.texts("hash_without")),
        for_each=for_each,
        for_each_columns=columns,
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


def _period(top: Section, document: Document) -> PeriodSpec | None:
    if top.data.get("period") is None:
        return None
    part = document.section(top.data["period"], "period", PeriodSpec)
    form = part.text("format")
    if form not in ("epoch", "epoch_ms", "iso") and "%" not in form:
        part.wrong("format", f"is '{form}'", "Write a strftime format such as %Y-%m-%d, or epoch, epoch_ms, iso.")
    return PeriodSpec(
        date_from=part.required("date_from", "Give the API's own name of the first day."),
        date_to=part.required("date_to", "Give the API's own name of the last day."),
        format=form,
        max_days=part.value("max_days"),
        first_days=part.value("first_days"),
        lookback_days=part.value("lookback_days"),
        lookahead_days=part.value("lookahead_days"),
        to_exclusive=part.value("to_exclusive"),
    )


def _for_each(top: Section) -> tuple[str | None, tuple[str, ...]]:
    name = top.text("for_each")
    if name is None:
        return None, ()
    known = sorted(file.stem for file in FOR_EACH_DIR.glob("*.sql"))
    if name not in known:
        top.wrong("for_each", f"is '{name}'", near_hint(name, known, "Queries in include/sql/routes/for_each"))
        return None, ()
    gives = _GIVES.search((FOR_EACH_DIR / f"{name}.sql").read_text(encoding="utf-8"))
    if gives is None:
        top.wrong("for_each", f"names {name}.sql, which lacks a line '-- Gives: column, column'", "Add it on top.")
        return None, ()
    return name, tuple(column.strip() for column in gives[1].split(","))


def _query(top: Section) -> tuple[tuple[str, str], ...]:
    value = top.data.get("query")
    if value is None:
        return ()
    if not isinstance(value, dict) or any(isinstance(item, dict | list) or item is None for item in value.values()):
        top.wrong("query", f"is {shown(value)}", "Write names and values, such as query: {order: asc}.")
        return ()
    secret = [name for name in value if re.search(r"token|api_?key|password|secret", str(name), re.I)]
    for name in secret:
        top.wrong("query", f"holds {name}", "Keys belong to the connection's password; they go into a header.")
    flags = {True: "true", False: "false"}
    return tuple((str(name), flags[item] if isinstance(item, bool) else str(item)) for name, item in value.items())


def _path(top: Section, period: PeriodSpec | None, columns: tuple[str, ...], query: tuple[tuple[str, str], ...]) -> str:
    path = top.required("path", "Write the path below the connection's base URL, such as path: /v1/orders.")
    if not path:
        return path
    if "://" in path or "?" in path or "#" in path:
        top.wrong("path", f"is '{path}'", "Write the path alone: the host is the connection's, parameters go to query.")
    known = [name for name in (*columns, *((period.date_from, period.date_to) if period else ())) if name]
    used = set(_PLACEHOLDER.findall(path))
    for name in sorted(used - set(known)):
        hint = f"Known: {', '.join(known)}." if known else "Declare period or for_each."
        top.wrong("path", f"uses {{{name}}}, which nothing gives", hint)
    values = {name for _, value in query for name in _PLACEHOLDER.findall(value)}
    for name in sorted(values - set(columns)):
        top.wrong("query", f"uses {{{name}}}, which nothing gives", "Placeholders in query come from for_each.")
    return path


def _paging(top: Section, document: Document, api: str) -> PageSpec:
    value = top.data.get("paging")
    ours = api == "sportmonks"
    if isinstance(value, str):
        value = {"style": value}
    if value is None:
        return V3_PAGES if ours else PageSpec()
    part = document.section(value, "paging", PageSpec)
    style = part.value("style", "page" if ours else "none")
    base = asdict(V3_PAGES) if ours and style == "page" else {}
    parameter = part.text("parameter", base.get("parameter") or ("" if style in ("none", "next") else None))
    if parameter is None:
        parameter = {"page": "page", "cursor": "cursor", "offset": "offset"}[style]
    spec = PageSpec(
        style=style,
        parameter=parameter,
        first=part.value("first", 0 if style == "offset" else 1),
        size_parameter=part.text("size_parameter", base.get("size_parameter")),
        size=part.value("size", base.get("size")),
        more=part.json_path("more", base.get("more")),
        total=part.json_path("total"),
        next=part.json_path("next", base.get("next")),
        drop_with_cursor=part.texts("drop_with_cursor") or base.get("drop_with_cursor", ()),
        cursor_after=part.value("cursor_after", base.get("cursor_after")),
        cursor_parameter=part.text("cursor_parameter"),
        stop_on_repeat=part.value("stop_on_repeat"),
        max_pages=part.value("max_pages"),
    )
    if style in ("cursor", "next") and spec.next is None:
        part.missing("next", "Say where the answer holds it, such as next: links.next, or header.link.")
    if spec.size is not None and spec.size_parameter is None and style != "none":
        part.wrong("size", "has no size_parameter", "Give the API's name of the page size, such as limit.")
    return spec


def _schedule(top: Section) -> str | None:
    text: str | None = top.text("schedule")
    if text is None or text.lower() in ("none", "null"):
        return None
    from croniter import croniter  # type: ignore[import-untyped]

    if text not in _PRESETS and not (len(text.split()) == 5 and croniter.is_valid(text)):
        top.wrong("schedule", f"is '{text}'", "Write five cron fields in UTC, such as '30 5 * * *', or @daily.")
        return None
    return text
