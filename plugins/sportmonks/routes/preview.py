"""One request of a route and a look at its answer, without a database: what is sent, what comes, what would follow.

For trying a route from a shell, and for guessing the keys of a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sportmonks import lenient_json
from sportmonks.api.pagination import Paginator
from sportmonks.api.status import Decision
from sportmonks.api.transport import HttpResponse
from sportmonks.errors import SportmonksError
from sportmonks.redaction import mask_text
from sportmonks.routes.answer import read_page
from sportmonks.routes.answer_errors import message_of
from sportmonks.routes.body import read_body
from sportmonks.routes.guess import Finding, dates_found, paging_found, records_found
from sportmonks.routes.page import page_info
from sportmonks.routes.period import Window, leads_beyond
from sportmonks.routes.records import prepare
from sportmonks.routes.request import PageRequest, Slice, page_request
from sportmonks.routes.source import RestSource
from sportmonks.routes.spec import Route


@dataclass(frozen=True)
class Preview:
    """What one request of a route shows. Credentials are in none of its fields.

    ``next_request``: the request that would follow, None at the end; then ``end`` says how the end was known.
    ``problem``: why the answer is no page of records; what is known of it is in the other fields. ``records``,
    ``outside_period``, ``undated``, ``unreadable``: numbers of records; ``first_record``: decoded. ``paging``,
    ``dates`` (path, form) and ``lists`` (path, length): what was recognised in the answer, whatever the route says.
    """

    request: PageRequest
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    seconds: float = 0.0
    problem: str = ""
    records: int = 0
    outside_period: int = 0
    undated: int = 0
    unreadable: int = 0
    first_record: Any = None
    days: tuple[date, date] | None = None
    paging: tuple[Finding, ...] = ()
    dates: tuple[tuple[str, str], ...] = ()
    lists: tuple[tuple[str, int], ...] = ()
    next_request: PageRequest | None = None
    end: str = ""


def preview(
    route: Route,
    source: RestSource,
    *,
    window: Window | None = None,
    item: Mapping[str, Any] | None = None,
    today: date,
) -> Preview:
    """Make the first request of the listing of ``window`` and ``item`` of for_each, once and without retries.

    Raises what the transport raises when nothing comes at all (no connection, a wrong certificate).
    """
    part = Slice(0, window, dict(item or {}))
    paginator = Paginator.start(route.paging)
    request = page_request(route, part, paginator)
    response = source.send(request)
    seen = _seen(route, request, response)
    known: dict[str, Any] = {
        "request": request,
        "status": response.status,
        "headers": response.headers,
        "size": len(response.body),
        "seconds": response.seconds,
        **seen,
    }
    decision = source.decide(response)
    if decision not in (Decision.OK, Decision.NO_RESULT):
        return Preview(**known, problem=f"HTTP {response.status}{message_of(response.body)}: {decision}")
    try:
        fetched = read_page(response, route, route.path, lenient=True)
        paginator.take(page_info(fetched))
        following = None if paginator.ended() else page_request(route, part, paginator)
    except SportmonksError as error:
        return Preview(**known, problem=mask_text(str(error)))
    page = prepare(fetched.rows, route, window, part.item, today)
    days = [row.day for row in page.kept if row.day is not None] if route.date_field else []
    first = lenient_json.decode(fetched.rows[0])[0] if fetched.rows else None
    known |= {"first_record": first, "dates": tuple(dates_found(first)) if isinstance(first, Mapping) else ()}
    return Preview(
        **known,
        problem=f"it names a further page at {fetched.names_more}" if fetched.names_more else "",
        records=page.records,
        outside_period=page.out_of_range,
        undated=page.undated,
        unreadable=len(page.rejected),
        days=(min(days), max(days)) if days else None,
        next_request=following,
        end=paginator.end or "",
    )


def _seen(route: Route, request: PageRequest, response: HttpResponse) -> dict[str, Any]:
    """What can be recognised in an answer without its route. A link to the days behind those of the request leads to no
    further page."""
    try:
        body = read_body(response, route.format, route.delimiter, route.path, lenient=True, charset=route.charset).json
    except SportmonksError:
        return {}
    name = route.period.date_to if route.period else ""
    end = str(request.query.get(name, ""))
    found = (one for one in paging_found(response.headers, body) if not leads_beyond(str(one.value), name, end))
    return {"paging": tuple(found), "lists": tuple(records_found(body))}
