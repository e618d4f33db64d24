"""The parts of a route file that have keys of their own: period, paging, for_each, columns."""

from __future__ import annotations

import difflib
import re
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sportmonks.api.page_spec import ALL_MEMBERS, V3_PAGES, PageSpec
from sportmonks.config.conversion import near_hint, shown
from sportmonks.config.settings import SQL_DIR
from sportmonks.config.strict_yaml import Document, Section, split_path
from sportmonks.routes.names import table_name
from sportmonks.routes.parse_request import text_of
from sportmonks.routes.period import has_time, one_at_a_time
from sportmonks.routes.request import PAGING
from sportmonks.routes.spec import COLUMN_TYPES, Column, ForEach, PeriodSpec

FOR_EACH_DIR = SQL_DIR / "routes" / "for_each"
_GIVES = re.compile(r"--\s*Gives:\s*([a-z_][a-z0-9_]*(?:\s*,\s*[a-z_][a-z0-9_]*)*)", re.I)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORMATS = ("iso", "epoch", "epoch_ms", "week")
# Columns of every raw table; a typed column cannot have their names.
_OWN_COLUMNS = ("id", "collected_at", "reference_date", "request", "payload", "content_hash", "created_at",
                "updated_at", "record_key", "deleted_at")  # fmt: skip


def read_period(top: Section, document: Document) -> PeriodSpec | None:
    """``period``: names and form of the days in requests."""
    if top.data.get("period") is None:
        return None
    part = document.section(top.data["period"], "period", PeriodSpec)
    form = {"date": "%Y-%m-%d"}.get(part.text("format"), part.text("format"))
    if form not in _FORMATS and "%" not in form:
        hint = near_hint(form, ("date", *_FORMATS), "Write a strftime format such as %Y-%m-%d, or one of")
        part.wrong("format", f"is '{form}'", hint)
    zone = part.text("timezone")
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        near = difflib.get_close_matches(zone, available_timezones(), n=1)
        part.wrong(
            "timezone", f"is '{zone}'", f"Did you mean {near[0]}?" if near else "Write one such as Europe/Berlin."
        )
        zone = "UTC"
    date_to = part.text("date_to", "")
    if part.data.get("max_hours") is not None:
        if not has_time(form):
            part.wrong(
                "max_hours", f"is given beside the format {form}", "Hours need a format with a time, such as iso."
            )
        if part.data.get("max_days") is not None:
            part.wrong("max_hours", "is given beside max_days", "Keep one: hours cut each day.")
    if form == "week" and (part.data.get("to_exclusive") or part.data.get("from_exclusive")):
        part.wrong("format", "is week, beside an end that is excluded", "Weeks are requested with both their ends.")
    return PeriodSpec(
        date_from=part.required("date_from", "Give the API's own name of the first day."),
        date_to=date_to,
        format=form,
        max_days=part.value("max_days"),
        max_hours=part.value("max_hours"),
        first_days=part.value("first_days"),
        lookback_days=part.value("lookback_days"),
        lookahead_days=part.value("lookahead_days"),
        to_exclusive=part.value("to_exclusive"),
        from_exclusive=part.value("from_exclusive"),
        timezone=zone,
    )


def check_period(top: Section, period: PeriodSpec | None) -> None:
    """What of a period cannot work."""
    if period is None or period.date_to or one_at_a_time(period):
        return
    if longest := ("max_days" if period.max_days else "max_hours" if period.max_hours else ""):
        top.wrong(
            "period",
            f"has {longest} and no date_to",
            "Without an end each window would bring everything since its beginning; for an API that takes one day (or"
            " month), write max_days: 1.",
        )


def read_for_each(top: Section) -> ForEach | None:
    """``for_each``: the name of a query, lists of values, or the records of another route."""
    value = top.data.get("for_each")
    if isinstance(value, dict):
        return _for_each_route(top, value) if "route" in value else _for_each_values(top, value)
    name = top.text("for_each")
    if name is None:
        return None
    known = sorted(file.stem for file in FOR_EACH_DIR.glob("*.sql"))
    if name not in known:
        top.wrong("for_each", f"is '{name}'", near_hint(name, known, "Queries in include/sql/routes/for_each"))
        return None
    gives = _GIVES.search((FOR_EACH_DIR / f"{name}.sql").read_text(encoding="utf-8"))
    if gives is None:
        top.wrong("for_each", f"names {name}.sql, which lacks a line '-- Gives: column, column'", "Add it on top.")
        return None
    return ForEach(name, tuple(column.strip() for column in gives[1].split(",")))


def _for_each_route(top: Section, value: dict[str, Any]) -> ForEach | None:
    for key in value.keys() - {"route", "client", "take"}:
        top.wrong("for_each", f"has the key {key}", near_hint(str(key), ("route", "client", "take"), "Known here"))
    take, route = value.get("take"), value.get("route")
    if not isinstance(take, dict) or not take or not isinstance(route, str):
        top.wrong(
            "for_each", f"is {shown(value)}", "Write {route: customers, take: {customer_id: id}}: placeholder and path."
        )
        return None
    paths = {str(name): split_path(str(path)) for name, path in take.items()}
    for name, path in paths.items():
        if not path or not _NAME.fullmatch(name):
            top.wrong("for_each", f"takes {name}: {take.get(name)}", "Write a placeholder and a path, such as id: id.")
            return None
    table = table_name(str(value.get("client") or top.data.get("client") or "x"), route)
    return ForEach(f"raw.{table}", tuple(paths), table=table, take=tuple((n, p) for n, p in paths.items() if p))


def _for_each_values(top: Section, value: dict[str, Any]) -> ForEach | None:
    found = []
    for name, values in value.items():
        items = values if isinstance(values, list) else [values]
        if not items or any(isinstance(one, dict | list) or one is None for one in items) or not _NAME.fullmatch(name):
            top.wrong(
                "for_each",
                f"has {name}: {shown(values)}",
                "Write a placeholder and its values: {shop: [north, south]}.",
            )
            return None
        texts = tuple(text_of(one) for one in items)
        if len(set(texts)) < len(texts):
            top.wrong("for_each", f"has a value of {name} twice", "Keep one.")
        found.append((name, texts))
    return ForEach(", ".join(value), tuple(value), values=tuple(found))


def read_paging(top: Section, document: Document, api: str, named: set[str]) -> PageSpec:
    """``paging``; ``named``: the placeholders that path, query, headers and body use."""
    value = top.data.get("paging")
    ours = api == "sportmonks"
    if isinstance(value, str):
        value = {"style": value}
    if value is None:
        return V3_PAGES if ours else PageSpec()
    part = document.section(value, "paging", PageSpec)
    style = part.value("style", "page" if ours else "none")
    base = asdict(V3_PAGES) if ours and style == "page" else {}
    carried = {"page": "page", "offset": "offset", "cursor": "cursor"}.get(style, "")
    parameter = part.text("parameter", base.get("parameter") or ("" if style in ("none", "next") else None))
    if parameter is None:
        parameter = carried
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
        until=part.value("until"),
        done=part.json_path("done"),
        total_pages=part.json_path("total_pages"),
    )
    _check_paging(part, spec, named)
    return spec


def _check_paging(part: Section, spec: PageSpec, named: set[str]) -> None:
    style = spec.style
    if spec.linked and spec.next is None:
        part.missing("next", "Say where the answer holds it, such as next: links.next, header.link or last.id.")
    if spec.size is not None and spec.size_parameter is None and style != "none" and "size" not in named:
        part.wrong("size", "has no size_parameter", "Give the API's name of the page size, such as limit.")
    if spec.next == ("header",) or spec.next == ("last",):
        part.wrong("next", f"is '{spec.next[0]}'", "Name the header or the field, such as header.link or last.id.")
    if spec.more is not None and spec.done is not None:
        part.wrong("done", "is given beside more", "Keep one: more is true while pages follow, done on the last page.")
    if spec.until is not None and (style == "none" or (spec.linked and spec.until == "short")):
        hint = "Write until: empty or total." if spec.linked else "It is for listings of several pages."
        part.wrong("until", f"does not apply to style {style}", hint)
    if spec.parameter == ALL_MEMBERS and style != "cursor":
        part.wrong("parameter", f"is '*' with style {style}", "Only a cursor is an object of parameters.")
    if spec.until == "total" and spec.total is None and spec.total_pages is None:
        part.wrong("until", "is total, and no total is named", "Give total, the path of the number of records.")
    if "style" not in part.data and style == "none" and part.data.keys() - {"size", "size_parameter", "max_pages"}:
        part.missing("style", f"Choose page, offset, cursor or next for {', '.join(part.data)}.")
    for name in sorted(named & set(PAGING) - {"size"}):
        if name != {"page": "page", "offset": "offset", "cursor": "cursor"}.get(style):
            part.wrong("style", f"is {style}, and the request names {{{name}}}", f"Write style: {name}.")


def read_columns(top: Section, key: tuple[Any, ...]) -> tuple[Column, ...]:
    """``columns``: typed columns of the view of the newest records."""
    value = top.data.get("columns")
    if value is None:
        return ()
    if not isinstance(value, dict):
        top.wrong(
            "columns", f"is {shown(value)}", "Write names and types, such as {total: numeric}; names of lists: fields."
        )
        return ()
    if not key:
        top.wrong("columns", "needs a key", "Typed columns are those of the newest version of a record: give key.")
    found: list[Column] = []
    for name, given in value.items():
        kind, path = given, str(name)
        if isinstance(given, dict) and set(given) <= {"type", "path"}:
            kind, path = given.get("type", "text"), str(given.get("path", name))
        parts = split_path(path)
        if kind not in COLUMN_TYPES or not parts:
            top.wrong("columns", f"has {name}: {shown(given)}", near_hint(str(kind), COLUMN_TYPES, "Types"))
            continue
        column = str(name).replace(".", "_")
        if column in _OWN_COLUMNS or len(column.encode()) > 63 or column in {one.name for one in found}:
            top.wrong(
                "columns",
                f"cannot have the name {column[:70]}",
                "Write another name of at most 63 bytes: {NAME: {type: text, path: id}}.",
            )
            continue
        found.append(Column(column, parts, str(kind)))
    return tuple(found)
