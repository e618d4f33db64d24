"""What is guessed from one answer of each API of the guide, and from pieces of answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from yaml import safe_load

from local.cli.route_guess import TriedRequest, find_date, find_key, find_records
from local.cli.route_guess_period import take_days
from local.cli.route_new import look
from local.cli.route_yaml import flow, route_file
from sportmonks.routes.access import RouteAccess
from sportmonks.routes.parse import parse_route
from sportmonks.routes.spec import Route
from tests.harness.shape_server import Answer, Play, Request, ShapeServer, playing
from tests.routes.shapes.test_shapes import FILES, SHAPES, guarded, read
from tests.routes.shapes.world import PASSWORD


@dataclass(frozen=True)
class Tried:
    """A request of somebody who reads the API's documentation. ``differs``: fields in which the guess is another
    answer than the guide's route, and what they are; ``auth``: as the route file has it."""

    url: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    auth: Any = None
    differs: dict[str, Any] = field(default_factory=dict)


def oauth(path: str, **keys: str) -> dict[str, str]:
    return {"type": "oauth2", "token_url": path, **keys}


HUBSPOT = {
    "filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "BETWEEN",
                                   "value": "1764547200000", "highValue": "1767225599000"}]}],
    "limit": 100,
}  # fmt: skip
SEARCH = {
    "size": 1000, "sort": [{"at": "asc"}, {"id": "asc"}],
    "query": {"range": {"at": {"gte": "2025-12-01", "lt": "2026-01-01"}}},
}  # fmt: skip
NOTION = {
    "filter": {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2025-12-01"}},
    "page_size": 100,
}
TABLE = {
    "GitHub": Tried(
        "/repos/acme/shop/issues?state=all&since=2025-12-01T00:00:00Z&per_page=100",
        headers={"X-GitHub-Api-Version": "2022-11-28"},
    ),
    "GitLab": Tried(
        "/projects/17/issues?scope=all&updated_after=2025-12-01T00:00:00Z&updated_before=2026-01-01T00:00:00Z&per_page=100",
        auth="PRIVATE-TOKEN",
    ),
    "WordPress": Tried("/posts?modified_after=2025-12-01T00:00:00&modified_before=2025-12-31T23:59:59&per_page=100"),
    "Shopify": Tried(
        "/orders.json?status=any&updated_at_min=2025-12-01T00:00:00Z&updated_at_max=2025-12-31T23:59:59Z&limit=250",
        auth="X-Shopify-Access-Token",
    ),
    "Stripe": Tried("/v1/charges?created[gte]=1764547200&created[lte]=1767225599&limit=100"),
    "HubSpot": Tried("/crm/v3/objects/contacts/search", HUBSPOT),
    "Jira": Tried(
        "/rest/api/3/search/jql?jql=updated >= '2025-12-01' AND updated < '2026-01-01' ORDER BY updated&maxResults=100"
    ),
    "OData": Tried(
        "/users/ops@example.com/events?$filter=lastModifiedDateTime ge 2025-12-01T00:00:00Z"
        " and lastModifiedDateTime lt 2026-01-01T00:00:00Z",
        headers={"Prefer": "odata.maxpagesize=50"},
        auth=oauth("/oauth2/v2.0/token"),
        differs={"next": ("@odata.nextLink",)},
    ),
    "Elasticsearch": Tried(
        "/events/_search", SEARCH, auth={"type": "header", "name": "Authorization", "prefix": "ApiKey "}
    ),
    "Socrata": Tried(
        "/abcd-1234.json?$order=:id&$where=issued between '2025-12-01T00:00:00' and '2025-12-31T23:59:59'"
        "&$limit=1000&$offset=0",
        auth="X-App-Token",
    ),
    "Notion": Tried("/databases/0123abcd/query", NOTION, headers={"Notion-Version": "2022-06-28"}),
    "Gmail": Tried(
        "/users/me/messages?q=after:1764547200 before:1767225600&maxResults=500",
        auth=oauth("/token", grant="refresh_token"),
    ),
    "Zendesk": Tried(
        "/incremental/tickets/cursor.json?start_time=1764547200&per_page=1000", differs={"size_parameter": "per_page"}
    ),
    "Marketing Cloud": Tried(
        "/data/v1/customobjectdata/key/Orders/rowset?$page=1&$pageSize=50",
        auth=oauth("/v2/token", credentials="json"),
        # That its count is wrong shows at the end of a listing only; a change is a date.
        differs={"until": None, "date_field": ("values", "changed")},
    ),
    # That a meter is read once in this file says nothing about the next one.
    "A CSV file": Tried(
        "/meters.csv", headers={"Accept": "text/csv"}, differs={"key": (("zähler",),), "delimiter": None}
    ),
}


@contextmanager
def looked_at(
    play: Play, tried: Tried, prefix: str = "", login: str = "", extra: Mapping[str, str] | None = None
) -> Iterator[tuple[Route, str, ShapeServer]]:
    """The route of the file that is written, and its text."""
    with ExitStack() as stack:
        server = stack.enter_context(playing(play))
        access = RouteAccess(server.url + prefix, login=login, password=PASSWORD, extra=extra or {})
        names = {"client": "acme", "route": "things", "connection": "acme_api", "host": access.base_url}
        draft, proven = look(
            TriedRequest.of(tried.url, tried.headers, tried.body), access, names | {"auth": tried.auth}
        )
        text = route_file(draft, **names, auth=tried.auth, proven=proven)
        yield parse_route(text), text, server


@pytest.mark.parametrize("name", TABLE)
def test_the_apis_of_the_guide(name: str) -> None:
    shape, tried, guide = SHAPES[name], TABLE[name], read(FILES[name][0])
    with looked_at(guarded(shape), tried, shape.prefix, shape.login, shape.extra) as (route, text, server):
        pass
    paging, wanted = route.paging, guide.paging
    found: dict[str, Any] = {
        "style": (paging.style, wanted.style),
        "parameter": (paging.parameter or "", wanted.parameter or ""),
        "next": (paging.next, wanted.next),
        "more": (paging.more, wanted.more),
        "done": (paging.done, wanted.done),
        "size_parameter": (paging.size_parameter, wanted.size_parameter),
        "drop_with_cursor": (paging.drop_with_cursor, wanted.drop_with_cursor),
        "until": (paging.until, wanted.until),
        "records": (route.records, guide.records),
        "key": (route.key, guide.key),
        "date_field": (route.date_field, guide.date_field),
        "date_format": (route.date_format, guide.date_format),
        "delimiter": (route.delimiter, guide.delimiter),
    }
    period, days = route.period, guide.period
    if days is None:
        assert period is None
    else:
        assert period is not None
        for key in ("format", "from_exclusive"):
            found[key] = getattr(period, key), getattr(days, key)
        found["an end"] = bool(period.date_to), bool(days.date_to)
    wrong = {key: pair for key, pair in found.items() if pair[0] != tried.differs.get(key, pair[1])}
    assert not wrong, text
    assert len(server.requests) <= 6
    assert PASSWORD not in text


@pytest.mark.parametrize(
    ("path", "query", "body", "period", "kept"),
    [
        ("/o", {"from": "2025-12-01", "to": "2025-12-31"}, None, {"date_from": "from", "date_to": "to"}, {}),
        ("/o", {"to": "2025-12-31", "start": "2025-12-01", "q": "x"}, None,
         {"date_from": "start", "date_to": "to"}, {"q": "x"}),
        ("/o", {"since": "1764547200"}, None, {"date_from": "since", "format": "epoch"}, {}),
        ("/o", {"a[gt]": "2025-12-01", "a[lt]": "2025-12-31"}, None,
         {"date_from": "a[gt]", "date_to": "a[lt]", "from_exclusive": True, "to_exclusive": True}, {}),
        ("/rates/2025-12-01..2025-12-31", {}, None, {"date_from": "date_from", "date_to": "date_to"}, {}),
        ("/o", {"von": "01.12.2025", "bis": "31.12.2025"}, None,
         {"date_from": "von", "date_to": "bis", "format": "%d.%m.%Y"}, {}),
        ("/o", {"week": "2025-W49"}, None, {"date_from": "week", "format": "week"}, {}),
        # No period: one end only, one day twice, three days, two ways to write a day.
        ("/o", {"until": "2025-12-31"}, None, {}, {"until": "2025-12-31"}),
        ("/o", {"a": "2025-12-31", "b": "2025-12-31"}, None, {}, {"a": "2025-12-31", "b": "2025-12-31"}),
        ("/o", {"a": "2025-12-30", "b": "1764547200"}, None, {}, {"a": "2025-12-30", "b": "1764547200"}),
        ("/o", {"id": "12345", "page": "3"}, None, {}, {"id": "12345", "page": "3"}),
    ],
)  # fmt: skip
def test_the_days_of_a_request(
    path: str, query: dict[str, str], body: Any, period: dict[str, Any], kept: dict[str, str]
) -> None:
    found = take_days(path, query, body)
    assert (found.period, found.query) == (period, kept)
    assert "2025" not in found.path


def test_days_within_a_body_keep_their_types() -> None:
    body = {"range": {"gte": "2025-12-01", "lt": "2025-12-31"}, "ids": [17, True], "text": "2025"}
    found = take_days("/o", {}, body)
    assert found.body == {"range": {"gte": "{date_from}", "lt": "{date_to}"}, "ids": [17, True], "text": "2025"}
    assert found.period == {"date_from": "date_from", "date_to": "date_to", "to_exclusive": True}
    assert take_days("/o", {}, {"a": "1764547200000", "z": "1767225600000"}).body == {
        "a": "{date_from!s}",
        "z": "{date_to!s}",
    }
    assert take_days("/o", {}, {"a": 1764547200, "z": 1767225600}).body == {"a": "{date_from}", "z": "{date_to}"}


@pytest.mark.parametrize(
    ("answer", "path", "form", "fields"),
    [
        ({"page": {"items": [{"id": 1}]}, "tags": []}, "page.items", "", ()),
        ([{"id": 1}], ".", "", ()),
        ({"rates": {"EUR": {"x": 1}, "USD": {"x": 2}}}, "rates", "values", ()),
        ({"a": {"x": 1}, "b": {"x": 2}}, ".", "values", ()),
        ({"id": 1, "name": "x"}, ".", "object", ()),
        ({"data": {"id": 1}}, "data", "object", ()),
        ({"results": []}, "results", "", ()),
        ([["id", "name"], [1, "x"]], ".", "", ("header",)),
        ({"a.b": [{"id": 1}]}, '"a.b"', "", ()),
    ],
)
def test_where_the_records_are(answer: Any, path: str, form: str, fields: tuple[str, ...]) -> None:
    found = find_records(json.dumps(answer).encode())
    assert (found.path, found.form, found.fields) == (path, form, fields)


@pytest.mark.parametrize(
    ("rows", "date_field", "key"),
    [
        ([{"name": "a", "id": 7}], "", ("id",)),
        ([{"name": "a"}], "", ("name",)),
        ([{"text": "a"}], "", ()),
        ([{"id": 1, "uuid": "a"}, {"id": 1, "uuid": "b"}], "", ("uuid",)),
        ([{"keys": {"orderid": n}, "n": 0} for n in range(6)], "", ("keys.orderid",)),
        ([{"id": None, "t": f"t{n}"} for n in range(6)], "", ("t",)),
        ([{"id": n % 2, "day": f"2025-12-0{n // 2 + 1}"} for n in range(6)], "day", ("id", "day")),
        ([{"flag": True, "price": 1.5 + n} for n in range(6)], "", ()),
        ([{"title": f"t{n}", "revid": n} for n in range(6)], "", ("revid",)),
        ([{"title": "t", "bid": 5}], "", ()),
        ([], "", ()),
    ],
)
def test_what_names_a_record(rows: list[Any], date_field: str, key: tuple[str, ...]) -> None:
    assert find_key(rows, date_field)[0] == key


@pytest.mark.parametrize(
    ("row", "clues", "found"),
    [
        ({"created_at": "2025-12-01", "updated_at": "2025-12-02"}, "", ("updated_at", "")),
        ({"created_at": "2025-12-01", "updated_at": "2025-12-02"}, "created[gte]", ("created_at", "")),
        ({"tag": "13.12.2025", "n": 1}, "", ("tag", "%d.%m.%Y")),
        ({"at": {"s": 1764547200}}, "", ("at.s", "")),
        ({"n": 1, "name": "x"}, "", ("", "")),
    ],
)
def test_the_day_of_a_record(row: Any, clues: str, found: tuple[str, str]) -> None:
    assert find_date([row], clues) == found


def test_values_of_a_file_are_read_as_they_were() -> None:
    values = [
        "yes",
        "2025-12-01",
        "a: b",
        "#1",
        "{x}",
        "1",
        1,
        True,
        None,
        "",
        "Zürich",
        "it's",
        'a "b"',
        "-",
        "page[size]",
    ]
    assert safe_load(flow({"all": values, "no": {"a b": []}})) == {"all": values, "no": {"a b": []}}


def pages_by(parameter: str, *, broken: str = "") -> Play:
    """25 records, ten a page, by a page number or offset of that name; any other parameter is ignored."""

    def play(request: Request) -> Answer:
        if broken in request.query:
            return Answer({"message": "unknown parameter"}, 400)
        number = int(request.query.get(parameter, 0))
        first = number if parameter == "offset" else number * 10
        return Answer({"list": [{"code": f"c{n}"} for n in range(first, min(first + 10, 25))]})

    return play


def test_a_way_that_brings_the_same_records_is_not_taken() -> None:
    with looked_at(pages_by("offset", broken="page"), Tried("/things")) as (route, text, server):
        pass
    assert (route.paging.style, route.paging.parameter) == ("offset", "offset")
    assert "the second page was requested, and it has other records" in text
    assert [list(request.query) for request in server.requests] == [[], ["page"], ["offset"]]


def test_where_nothing_works_there_is_one_page() -> None:
    with looked_at(pages_by("seite"), Tried("/things")) as (route, text, _):
        pass
    assert route.paging.style == "none"
    assert "page: the same records" in text


def test_a_page_number_in_the_address_begins_where_it_begins() -> None:
    with looked_at(pages_by("seite"), Tried("/things?seite=0&lang=de")) as (route, _, _):
        pass
    assert (route.paging.style, route.paging.parameter, route.paging.first) == ("page", "seite", 0)
    assert route.query == (("lang", "de"),)
