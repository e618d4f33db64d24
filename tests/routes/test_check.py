"""What ``./etl routes check`` refuses: keys that cannot work together, and values that look right."""

from __future__ import annotations

import pytest

from sportmonks.errors import ConfigurationError
from sportmonks.routes.parse import parse_route
from sportmonks.routes.spec import AuthSpec

GOOD = "client: shop\nroute: orders\nconnection: shop_api\npath: /orders\n"

WRONG = [
    ("auth: beares", "auth is 'beares'. Did you mean bearer?"),
    ("auth: oauth2", "auth is 'oauth2' alone. Write its keys"),
    ("auth: X Api Key", "auth is 'X Api Key'. Write one of auto"),
    ("auth: {type: query}", "auth.name is missing"),
    ("auth: {type: oauth2, scope: a}", "auth.token_url is missing"),
    ("auth: {type: bearer, token_url: /t}", "auth.token_url does not apply to type bearer"),
    ("auth: {typ: basic}", "there is no key auth.typ. Did you mean type?"),
    ("headers: {Authorization: x}", "headers holds Authorization"),
    ("headers: [a]", "headers is ['a']"),
    ("body: {client_secret: abc}", "body holds client_secret"),
    ("body: text", "body is 'text'"),
    ("body: {a: '{b}'}", "body uses {b}, which nothing gives"),
    ("query: {a: '{b}'}\nperiod: {date_from: bb}", "query uses {b}, which nothing gives. Did you mean bb?"),
    ("method: GET\nbody: {a: 1}", "method is GET beside a body"),
    ("method: PUT", "method is 'PUT'. Choose one of: GET, POST."),
    ("query: {a: '{cursor}'}\npaging: {style: page}", "paging.style is page, and the request names {cursor}"),
    ("paging: {style: next, next: header}", "paging.next is 'header'. Name the header"),
    ("paging: {style: next, next: a..b}", "paging.next is 'a..b'. Write keys joined by dots"),
    ("paging: {style: next, next: a, until: short}", "paging.until does not apply to style next"),
    ("paging: {style: page, until: total}", "paging.until is total, and no total is named"),
    ("paging: {style: page, until: ever}", "paging.until is 'ever'. Choose one of: empty, short, total."),
    ("paging: {style: page, more: a, done: b}", "paging.done is given beside more"),
    ("paging: {total: count}", "paging.style is missing. Choose page, offset, cursor or next for total."),
    ("period: {date_from: a, max_days: 7}", "period has max_days and no date_to"),
    ("period: {date_from: a, max_days: 1, format: iso}", "period has max_days and no date_to"),
    ("period: {date_from: a, max_days: 61, format: '%Y-%m'}", "period has max_days and no date_to"),
    ("period: {date_from: a, format: isoo}", "period.format is 'isoo'. Did you mean iso?"),
    (
        "period: {date_from: a, timezone: Europe/Berln}",
        "period.timezone is 'Europe/Berln'. Did you mean Europe/Berlin?",
    ),
    ("mode: replace", "mode is replace without a key"),
    ("mode: replace\nkey: id\nperiod: {date_from: a}", "mode is replace beside a period"),
    ("columns: {total: numeric}", "columns needs a key"),
    ("key: id\ncolumns: {total: numerc}", "Did you mean numeric?"),
    ("key: id\ncolumns: {payload: text}", "columns cannot have the name payload"),
    (f"key: id\ncolumns: {{{'x' * 64}: text}}", "at most 63 bytes"),
    ("columns: [id, name]", "names of lists: fields"),
    ("key: 'lines[kind=a].id'", "key has lines[kind=a].id. Write a place such as lines[0]."),
    ("hash_without: 'lines[0].seen'", "hash_without names an element"),
    ("for_each: {route: customers}", "for_each is {'route': 'customers'}"),
    ("for_each: {route: customers, take: {id: id}, clint: x}", "for_each has the key clint. Did you mean client?"),
    ("for_each: {shop: [a, b]}", "for_each gives shop, which no request uses"),
    ("for_each: {shop: [a, a]}\nquery: {s: '{shop}'}", "for_each has a value of shop twice"),
    ("records_as: rows", "records_as is 'rows'"),
    ("records_as: values\nfields: [a]", "fields is given beside records_as: values"),
    ("format: xml", "format is 'xml'"),
    ("format: json\ndelimiter: ';'", "delimiter is given beside format: json"),
    ("delimiter: ab", "delimiter is 'ab'"),
    ("error_field: x", "there is no key error_field. Did you mean error_fields?"),
]


@pytest.mark.parametrize(("keys", "expected"), WRONG, ids=[keys for keys, _ in WRONG])
def test_what_is_refused(keys: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_route(GOOD + keys, file="x.yaml")
    assert expected in str(caught.value)
    assert "x.yaml, line" in str(caught.value) or "is missing" in str(caught.value)


@pytest.mark.parametrize("key", ["auth: bearer", "body: {a: 1}", "headers: {a: b}", "format: csv", "error_fields: a"])
def test_what_the_sportmonks_api_does_not_take(key: str) -> None:
    text = GOOD.replace("shop_api", "sportmonks_api")
    with pytest.raises(ConfigurationError, match="does not apply to the Sportmonks API"):
        parse_route(text + key)


def test_forms_of_authentication() -> None:
    def auth(text: str) -> AuthSpec:
        return parse_route(f"{GOOD}auth: {text}").auth

    assert auth("X-Api-Key") == AuthSpec("header", "X-Api-Key")
    assert auth("{type: header, name: Authorization, prefix: 'Token '}").prefix == "Token "
    assert auth("{type: oauth2, token_url: /t, credentials: basic}").credentials == "basic"
    assert parse_route(GOOD).auth == AuthSpec()
