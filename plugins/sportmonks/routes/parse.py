"""Route files: YAML in, :class:`Route` out; every mistake is named with its file, line and key."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sportmonks.config.settings import API_CONN_ID, ROUTES_DIR, SQL_DIR
from sportmonks.config.strict_yaml import Reader, Section, shown
from sportmonks.errors import ConfigurationError, SportmonksError
from sportmonks.routes.names import name_part
from sportmonks.routes.spec import PagingSpec, PeriodSpec, Route

FOR_EACH_DIR = SQL_DIR / "routes" / "for_each"
ROUTE_KEYS = (
    "client", "route", "description", "tags", "connection", "api", "auth", "path", "query", "include",
    "entity", "paging", "records", "missing_records", "period", "date_field", "date_format", "undated", "key",
    "hash_without", "for_each", "retry_max", "batch_export", "queue_pages", "resume_hours", "timeout_seconds",
    "schedule", "start_date", "retries", "deadline_minutes",
)  # fmt: skip
PAGING_KEYS = (
    "style", "parameter", "first", "size_parameter", "size", "more", "total", "next", "drop_with_cursor",
    "cursor_after", "cursor_parameter", "stop_on_repeat", "max_pages",
)  # fmt: skip
PERIOD_KEYS = (
    "date_from", "date_to", "format", "max_days", "first_days", "lookback_days", "lookahead_days",
    "to_exclusive",
)  # fmt: skip
_PRESETS = ("@once", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly", "@continuous")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_GIVES = re.compile(r"--\s*Gives:\s*([a-z_][a-z0-9_]*(?:\s*,\s*[a-z_][a-z0-9_]*)*)", re.I)
# What the Sportmonks API does everywhere; a route need not repeat it.
_SPORTMONKS_PAGING: Mapping[str, Any] = {
    "style": "page",
    "parameter": "page",
    "size_parameter": "per_page",
    "size": 50,
    "more": ("pagination", "has_more"),
    "next": ("pagination", "next_cursor"),
    "cursor_after": 20_000,
    "drop_with_cursor": ("per_page", "page", "order"),
}


@dataclass(frozen=True)
class Problem:
    """Why a file gives no route; ``message`` holds one line per mistake, each with file and line."""

    file: str
    message: str

    @property
    def name(self) -> str:
        """The DAG that shows it."""
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


def parse_route(text: str, *, file: str = "route.yaml") -> Route:
    """One route. Raises ConfigurationError with one line per mistake (``file, line N: key ...``)."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}, line {mark.line + 1}" if mark else file
        raise ConfigurationError(
            f"{place}: not valid YAML ({getattr(error, 'problem', None) or error}).", hint="Correct that line."
        ) from None
    if not isinstance(data, dict) or not isinstance(node, yaml.MappingNode):
        raise ConfigurationError(f"{file}: expected keys and values.", hint="Start with client:, route:, path:.")
    reader = Reader(file)
    route = _route(reader.section(data, node, "", ROUTE_KEYS), reader, file)
    if reader.mistakes:
        raise ConfigurationError("\n".join(reader.mistakes))
    return route


def _route(top: Section, reader: Reader, file: str) -> Route:
    client = top.needed("client", "Name whose data this is, such as client: sportmonks.")
    route = top.needed("route", "Name what is collected, such as route: transfers.")
    for name, text in (("client", client), ("route", route)):
        if text and not name_part(text):
            top.wrong(name, f"is '{text}'", "Use at least one ASCII letter or digit: it names the table.")
    connection = top.text("connection", API_CONN_ID) or API_CONN_ID
    sportmonks = connection == API_CONN_ID
    api: Any = top.choice("api", ("sportmonks", "rest"), "sportmonks" if sportmonks else "rest")
    period = _period(top, reader)
    for_each, columns = _for_each(top)
    query = _query(top)
    path = _path(top, period, columns, query)
    retry_max = top.number("retry_max", 5, 0, 50)
    key = top.texts("key")
    return Route(
        client=client,
        route=route,
        description=top.text("description", "") or "",
        tags=top.texts("tags"),
        connection=connection,
        api=api,
        auth=top.text("auth", "auto") or "auto",
        path=path,
        query=query,
        include=top.texts("include"),
        entity=top.text("entity"),
        paging=_paging(top, reader, api),
        records=top.json_path("records", ("data",)) if "records" in top.data else ("data",),  # type: ignore[arg-type]
        missing_records=top.choice("missing_records", ("error", "empty"), "error"),  # type: ignore[arg-type]
        period=period,
        date_field=top.json_path("date_field"),
        date_format=top.text("date_format"),
        undated=top.choice("undated", ("keep", "drop"), "keep"),  # type: ignore[arg-type]
        key=tuple(tuple(part.split(".")) for part in key),
        hash_without=tuple(tuple(part.split(".")) for part in top.texts("hash_without")),
        for_each=for_each,
        for_each_columns=columns,
        retry_max=retry_max,
        batch_export=top.number("batch_export", 50, 1, 100_000),
        queue_pages=top.number("queue_pages", 4, 1, 1000),
        resume_hours=top.number("resume_hours", 24, 0, 10_000, whole=False),
        timeout_seconds=top.number("timeout_seconds", 60, 1, 3600, whole=False),
        schedule=_schedule(top),
        start_date=top.day("start_date"),
        retries=top.number("retries", 2, 0, 20),
        deadline_minutes=top.number("deadline_minutes", None, 1, 10_080, whole=False),
        file=file,
    )


def _period(top: Section, reader: Reader) -> PeriodSpec | None:
    if "period" not in top.nodes or top.data.get("period") is None:
        return None
    part = reader.section(top.data["period"], top.nodes["period"], "period", PERIOD_KEYS)
    form = part.text("format", "%Y-%m-%d") or "%Y-%m-%d"
    if form not in ("epoch", "epoch_ms", "iso") and "%" not in form:
        part.wrong("format", f"is '{form}'", "Write a strftime format such as %Y-%m-%d, or epoch, epoch_ms, iso.")
    return PeriodSpec(
        date_from=part.needed("date_from", "Give the API's own name of the first day."),
        date_to=part.needed("date_to", "Give the API's own name of the last day."),
        format=form,
        max_days=part.number("max_days", None, 1, 100_000),
        first_days=part.number("first_days", 30, 0, 100_000),
        lookback_days=part.number("lookback_days", 2, 0, 10_000),
        lookahead_days=part.number("lookahead_days", 0, 0, 10_000),
        to_exclusive=part.flag("to_exclusive"),
    )


def _for_each(top: Section) -> tuple[str | None, tuple[str, ...]]:
    name = top.text("for_each")
    if name is None:
        return None, ()
    known = sorted(file.stem for file in FOR_EACH_DIR.glob("*.sql"))
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Queries in include/sql/routes/for_each: {', '.join(known)}."
        top.wrong("for_each", f"is '{name}'", hint)
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
    path = top.needed("path", "Write the path below the connection's base URL, such as path: /v1/orders.")
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


def _paging(top: Section, reader: Reader, api: str) -> PagingSpec:
    node = top.nodes.get("paging")
    value = top.data.get("paging")
    ours = api == "sportmonks"
    if isinstance(value, str):
        value, node = {"style": value}, None
    if value is None:
        return PagingSpec(**_SPORTMONKS_PAGING) if ours else PagingSpec()
    part = reader.section(value, node, "paging", PAGING_KEYS)
    style: Any = part.choice("style", ("page", "cursor", "next", "offset", "none"), "page" if ours else "none")
    base = dict(_SPORTMONKS_PAGING) if ours and style == "page" else {}
    parameter = part.text("parameter", base.get("parameter") or ("" if style in ("none", "next") else None))
    if parameter is None:
        parameter = {"page": "page", "cursor": "cursor", "offset": "offset"}[style]
    spec = PagingSpec(
        style=style,
        parameter=parameter,
        first=part.number("first", 0 if style == "offset" else 1, 0, 1_000_000),
        size_parameter=part.text("size_parameter", base.get("size_parameter")),
        size=part.number("size", base.get("size"), 1, 1_000_000),
        more=part.json_path("more", base.get("more")),
        total=part.json_path("total"),
        next=part.json_path("next", base.get("next")),
        drop_with_cursor=part.texts("drop_with_cursor") or base.get("drop_with_cursor", ()),
        cursor_after=part.number("cursor_after", base.get("cursor_after"), 1, 1_000_000_000),
        cursor_parameter=part.text("cursor_parameter", "cursor") or "cursor",
        stop_on_repeat=part.flag("stop_on_repeat"),
        max_pages=part.number("max_pages", 100_000, 1, 10_000_000),
    )
    if style in ("cursor", "next") and spec.next is None:
        part.missing("next", "Say where the answer holds it, such as next: links.next, or header.link.")
    if spec.size is not None and spec.size_parameter is None and style != "none":
        part.wrong("size", "has no size_parameter", "Give the API's name of the page size, such as limit.")
    return spec


def _schedule(top: Section) -> str | None:
    text = top.text("schedule")
    if text is None or text.lower() in ("none", "null"):
        return None
    from croniter import croniter  # type: ignore[import-untyped]

    if text not in _PRESETS and not (len(text.split()) == 5 and croniter.is_valid(text)):
        top.wrong("schedule", f"is '{text}'", "Write five cron fields in UTC, such as '30 5 * * *', or @daily.")
        return None
    return text
