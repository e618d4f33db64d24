"""Writes a draft of a route as a route file, with comments. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from local.cli.route_guess import Draft

# Words that YAML reads as something else than text.
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "~", "y", "n")
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./+ -]*[A-Za-z0-9_/]|[A-Za-z.]")


def route_file(draft: Draft, *, client: str, route: str, connection: str, host: str, auth: Any, proven: str) -> str:
    """The text of the route file. ``proven``: what a further request has shown about the paging."""
    lines = [
        f"client: {scalar(client)}",
        f"route: {scalar(route)}",
        *_key("connection", connection, f"Airflow connection, type HTTP; its host is {host}"),
    ]
    if auth not in (None, "auto"):
        lines += _key("auth", auth, "how the password of the connection is sent")
    lines += _key("path", draft.path, "")
    for name, value in (("query", draft.query), ("headers", draft.headers)):
        if value:
            lines += _key(name, value, "")
    if draft.body is not None:
        lines += _key("body", draft.body, "sent as JSON by POST")
    lines += ["", *_period(draft), *_paging(draft, proven), *_records(draft)]
    lines += _date(draft)
    if draft.key:
        lines += _key("key", list(draft.key), draft.notes.get("key", ""))
    else:
        lines.append(f"# key: [id]                 # {draft.notes.get('key', '')}")
    lines += ["", '# schedule: "30 5 * * *"    # UTC; without it, runs are started by hand']
    return "\n".join(lines) + "\n"


def _period(draft: Draft) -> Iterator[str]:
    if draft.period:
        note = (
            "the days of a run; taken from the address" if "date_to" in draft.period else "a run gives a beginning only"
        )
        yield from _key("period", draft.period, note)
    else:
        yield "# period: {date_from: NAME, date_to: NAME}   # without it, each run reads everything"


def _paging(draft: Draft, proven: str) -> Iterator[str]:
    keys = draft.way.keys
    yield f"# {'; '.join(filter(None, (draft.way.reason, proven)))}"
    yield from _key("paging", "none" if keys["style"] == "none" else keys, "")


def _records(draft: Draft) -> Iterator[str]:
    records = draft.records
    if records.path is not None:
        yield from _key("records", records.path, records.note)
    if records.form:
        yield from _key("records_as", records.form, "")
    if records.fields:
        yield from _key("fields", list(records.fields), "the first list has the names of the values")


def _date(draft: Draft) -> Iterator[str]:
    if not draft.date_field:
        yield "# date_field: created_at    # the day of a record; no date was found"
        return
    yield from _key("date_field", draft.date_field, "the day of a record, by which it is checked and stored")
    if draft.date_format:
        unsure = draft.date_format.startswith(("%d/%m", "%m/%d"))
        yield from _key("date_format", draft.date_format, "is the day or the month first?" if unsure else "")


def _key(name: str, value: Any, note: str) -> list[str]:
    line = f"{name}: {flow(value)}"
    if len(line) > 100 and isinstance(value, Mapping):
        return [
            f"{name}:" + (f"  # {note}" if note else ""),
            *(f"  {scalar(key)}: {flow(one)}" for key, one in value.items()),
        ]
    return [f"{line.ljust(27)} # {note}" if note else line]


def flow(value: Any) -> str:
    """A value in one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(name))}: {flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """A plain value; text in quotes where YAML would read something else."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
