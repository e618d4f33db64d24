"""One request of a route, shown: what is sent, what comes, and what would follow. Nothing is stored."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from rich.markup import escape

from local.cli.console import complain, out, printable, seconds
from local.cli.context import Context
from local.cli.output import configure_output, print_json, wants_json
from local.cli.route_access import configure_access, required_access
from local.cli.route_advice import ENDS, end_known_by, paging_hint, problem_of
from local.cli.route_files import find_or_read
from local.errors import LocalError, UsageError
from local.stack.warehouse import warehouse
from sportmonks.redaction import mask_value

if TYPE_CHECKING:
    from sportmonks.routes.period import Window
    from sportmonks.routes.preview import Preview
    from sportmonks.routes.request import PageRequest
    from sportmonks.routes.source import RestSource
    from sportmonks.routes.spec import Route

RECORD_LINES = 30


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME|FILE", help="a route of include/routes, or a YAML file anywhere")
    parser.add_argument("--from", dest="date_from", metavar="YYYY-MM-DD", help="first day of the period")
    parser.add_argument("--to", dest="date_to", metavar="YYYY-MM-DD", help="last day of the period")
    parser.add_argument(
        "--item",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a placeholder of for_each; repeat it for more",
    )
    configure_access(parser)
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """0: a page of records came; 1: none did, or the answer is wrong."""
    from sportmonks.errors import SportmonksError
    from sportmonks.routes.period import local_today
    from sportmonks.routes.preview import preview
    from sportmonks.routes.source import RestSource

    route = as_rest(find_or_read(args.name))
    today = local_today(datetime.now(UTC), route.period)
    window = _window(route, args.date_from, args.date_to, today)
    item = _item(route, args.item, context)
    access = required_access(route, context, args)
    try:
        source = RestSource(route, access)
        try:
            found = preview(route, source, window=window, item=item, today=today)
        finally:
            source.close()
    except SportmonksError as error:
        raise LocalError(error.message, hint=error.hint or _unreachable(route)) from None
    problem = problem_of(found, route)
    if wants_json(args):
        print_json(_document(found, route, source, problem))
    else:
        for name, text in lines_of(found, route, source):
            out.print(f"[dim]{name:<14}[/] {escape(printable(text))}")
    if problem is not None:
        complain(LocalError(problem[0], hint=problem[1]))
        return 1
    for hint in remarks(found, route):
        out.print(f"[bold]hint:[/]  {escape(hint)}")
    return 0


def _document(found: Preview, route: Route, source: RestSource, problem: tuple[str, str] | None) -> dict[str, Any]:
    """The same as ``lines_of`` in fields; secrets are masked there, too."""
    record = None if found.first_record is None else json.loads(json.dumps(found.first_record, default=_plain))
    return {
        "request": shown_request(found.request, source),
        "status": found.status,
        "bytes": found.size,
        "seconds": round(found.seconds, 3),
        "records": found.records,
        "first_record": mask_value(record),
        "dates": [{"path": path, "form": form} for path, form in found.dates],
        "paging": [{"kind": one.kind, "path": one.path, "value": masked(str(one.value))} for one in found.paging],
        "end": found.end or None,
        "next_request": shown_request(found.next_request, source) if found.next_request else None,
        "problem": problem[0] if problem else None,
        "hint": problem[1] if problem else None,
    }


def as_rest(route: Route) -> Route:
    """The route as one of any API: a route of the Sportmonks API needs neither budget nor warehouse for one request."""
    if route.api == "rest":
        return route
    from sportmonks.routes.spec import AuthSpec

    query = [*route.query, *([("include", ";".join(route.include))] if route.include else [])]
    return replace(route, api="rest", auth=AuthSpec("header", "Authorization"), query=tuple(query))


def _unreachable(route: Route) -> str:
    return f"check the host of the connection {route.connection}; for the local sandbox, run ./etl up"


def _window(route: Route, first: str | None, last: str | None, today: date) -> Window | None:
    from sportmonks.errors import ConfigurationError
    from sportmonks.routes.period import parse_day, resolve_period, unit_of, windows

    if route.period is None:
        if first or last:
            raise UsageError(
                f"{route.name} has no period", hint="leave --from and --to out, or give the route a period"
            )
        return None
    try:
        begin, end = parse_day(first, "--from"), parse_day(last, "--to")
        period = resolve_period(route.period, date_from=begin, date_to=end, today=today)
    except ConfigurationError as error:
        raise UsageError(error.message, hint=error.hint) from None
    return windows(period, route.period.max_days, route.period.max_hours, unit_of(route.period.format))[0]


def _item(route: Route, given: list[str], context: Context) -> Mapping[str, Any]:
    """The placeholders of ``for_each``: those that were given, else the first item that a run would have."""
    pairs = dict(text.partition("=")[::2] for text in given)
    if route.for_each is None:
        if given:
            raise UsageError(f"{route.name} has no for_each", hint="leave --item out")
        return {}
    wanted = route.for_each.columns
    if given and set(pairs) != set(wanted):
        raise UsageError(
            f"--item names {', '.join(sorted(pairs))}", hint=f"give {' '.join(f'--item {n}=VALUE' for n in wanted)}"
        )
    if given:
        return pairs
    if route.for_each.values:
        return {name: values[0] for name, values in route.for_each.values}
    from sportmonks.routes.items import read_items

    hint = f"give {' '.join(f'--item {name}=VALUE' for name in wanted)}"
    try:
        with warehouse(context.stack) as conn:
            items = read_items(conn, route)
    except LocalError as error:
        raise LocalError(f"the items of for_each cannot be read: {error.message}", hint=hint) from None
    if not items:
        raise LocalError(f"for_each: {route.for_each} gives no item yet", hint=hint)
    return items[0]


def lines_of(found: Preview, route: Route, source: RestSource) -> Iterable[tuple[str, str]]:
    """Name and text of each line: the request without secrets, the answer, and what would follow."""
    yield "request", shown_request(found.request, source)
    for name, value in found.request.headers.items():
        yield "", f"{name}: {masked(value)}"
    if found.request.body:
        yield "body", masked(found.request.body.decode())
    kind = (found.headers.get("Content-Type") or "no content type").partition(";")[0]
    yield "answer", f"HTTP {found.status}, {kind}, {found.size:,} bytes in {seconds(found.seconds)}"
    if found.problem:
        return
    yield "records", _counts(found)
    if found.first_record is not None:
        text = json.dumps(found.first_record, indent=2, ensure_ascii=False, default=_plain).splitlines()
        rest = [f"... {len(text) - RECORD_LINES} more lines"] if len(text) > RECORD_LINES else []
        yield "first record", masked("\n               ".join([*text[:RECORD_LINES], *rest]))
    yield "dates", ", ".join(f"{path} ({form})" for path, form in found.dates) or "none found in the first record"
    paging = [f"{one.kind} {one.path} = {_short(one.value)}" for one in found.paging]
    yield "paging", "; ".join(paging) or "the answer says nothing about further pages"
    yield (
        "the end",
        ENDS.get(found.end, found.end) if found.end else f"not yet; it will be known {end_known_by(route.paging)}",
    )
    yield "next", shown_request(found.next_request, source) if found.next_request else "nothing"


def _counts(found: Preview) -> str:
    parts = [f"{found.records:,}"]
    if found.days:
        parts.append(
            f"of {found.days[0]} to {found.days[1]}" if found.days[0] != found.days[1] else f"of {found.days[0]}"
        )
    named = {"outside the period": found.outside_period, "undated": found.undated, "unreadable": found.unreadable}
    return " ".join(parts) + "".join(f", {count:,} {name}" for name, count in named.items() if count)


def remarks(found: Preview, route: Route) -> Iterable[str]:
    """What a look at a good answer suggests to change in the route."""
    if not found.records:
        yield "no record came: try another period (--from, --to), or check the filters in query"
        return
    if found.records == found.outside_period:
        yield "every record lies outside the period: check date_field and the period's names"
    elif found.records == found.undated and route.date_field and found.dates:
        yield f"no record has a date at date_field; dates were found at {', '.join(path for path, _ in found.dates)}"
    elif route.date_field is None and found.dates:
        yield f"for a date of each record: date_field: {found.dates[0][0]}"
    if not route.key:
        yield "without key, every version of a record is a row, and there is no view of the newest ones"
    if route.paging.style == "none" and any(one.kind in ("link", "cursor", "flag") for one in found.paging):
        yield f"the answer tells of further pages: {paging_hint(found)}"


def shown_request(request: PageRequest, source: RestSource) -> str:
    """Method and address of a request, without credentials."""
    path, query, _ = source.address(request)
    text = f"{path}{'&' if '?' in path else '?'}{urlencode(query, safe=':,/$[]{}', doseq=True)}" if query else path
    return masked(f"{request.method} {source.origin}{text}")


def masked(text: str) -> str:
    """Text without known secrets and what looks like one."""
    from sportmonks.redaction import mask_text

    return mask_text(text)


def _short(value: object) -> str:
    text = masked(str(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _plain(value: object) -> str:
    return bytes(value).decode() if isinstance(value, memoryview | bytes) else str(value)
