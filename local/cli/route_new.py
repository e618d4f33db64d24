"""Writes the file of a route for an address: one request is made as it was given, and up to four more to find out how
the next page is requested. Nothing is stored."""

from __future__ import annotations

import argparse
import getpass
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from rich.markup import escape

from local.cli.console import err, out
from local.cli.context import Context
from local.cli.route_access import access_of, configure_access, how_to_connect, token_of
from local.cli.route_advice import explain_status
from local.errors import LocalError, UsageError

if TYPE_CHECKING:
    from local.cli.route_guess import Draft, TriedRequest
    from sportmonks.api.transport import HttpResponse
    from sportmonks.routes.access import RouteAccess
    from sportmonks.routes.source import RestSource
    from sportmonks.routes.spec import Route

PROBES = 4
_WORD = re.compile(r"[^A-Za-z0-9]+")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "url", nargs="?", metavar="URL", help="an address that gives records, in quotes; days in it become the period"
    )
    parser.add_argument("--name", metavar="CLIENT.ROUTE", help="name of the DAG and the table, such as acme.orders")
    parser.add_argument(
        "--connection", metavar="NAME", help="Airflow connection (default: that of the client, CLIENT_api)"
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="default: include/routes/CLIENT_ROUTE.yaml")
    parser.add_argument("--auth", metavar="WAY", help="bearer, basic, none, the name of a header, or query:NAME")
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME:VALUE", help="a header that the API wants"
    )
    parser.add_argument("--body", metavar="JSON", help="the body of a POST")
    configure_access(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """0: the file is written; 1: the API's answer cannot be read, or no file was written."""
    from local.cli.route_yaml import route_file
    from sportmonks.errors import SportmonksError
    from sportmonks.routes.access import RouteAccess
    from sportmonks.routes.names import name_part

    url = _url(args.url or _ask("URL", "the address of a list of records, days included"))
    client, route = _names(args.name or _ask("client.route", "name of the table", _suggested(url)))
    connection = args.connection or f"{name_part(client)}_api"
    file = args.output or _default_folder() / f"{name_part(client)}_{name_part(route)}.yaml"
    if file.exists():
        raise UsageError(f"{file} exists", hint="give another --name or --output, or remove the file")
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent}", hint="create it first")
    token = token_of(args)
    known = access_of(connection, context, token, login=args.login)
    host, tried = _tried(url, args, known)
    if known is None and token is None and _on_terminal():
        token = getpass.getpass("token or password (is not shown and not kept; empty: none): ").strip() or None
    access = known or RouteAccess(host, login=args.login or "", password=token or "")
    names = {"client": client, "route": route, "connection": connection, "host": host, "auth": _auth(args.auth)}
    try:
        draft, proven = look(tried, access, names)
    except SportmonksError as error:
        raise LocalError(error.message, hint=error.hint) from None
    text = route_file(draft, **names, proven=proven)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LocalError(f"{file}: {error.strerror}", hint="give another --output") from None
    out.print(escape(text))
    out.print(f"[green]written[/]  {escape(str(file))}; look through it")
    if known is None:
        out.print(f"first      {escape(how_to_connect(connection, host))}")
    own = file.parent.resolve() == _default_folder().resolve()
    out.print(f"then       ./etl routes try {escape(f'{client}.{route}' if own else str(file))}")
    out.print(
        f"and        ./etl routes run {escape(f'{client}.{route}')}"
        + ("" if own else " (once the file is in include/routes)")
    )
    return 0


def look(tried: TriedRequest, access: RouteAccess, names: Mapping[str, Any]) -> tuple[Draft, str]:
    """The draft that holds, and what a further request has shown. LocalError for an answer that is no page of records;
    SportmonksError for one that cannot be read."""
    from dataclasses import replace

    from local.cli.route_guess import first_draft, guess
    from sportmonks.routes.answer_errors import refuse_error
    from sportmonks.routes.request import PageRequest
    from sportmonks.routes.source import RestSource

    route = _route(replace(first_draft(tried), query={}, body=None, path="/"), names)
    source = RestSource(route, access)
    try:
        body = None if tried.body is None else json.dumps(tried.body, ensure_ascii=False).encode()
        method = "GET" if body is None else "POST"
        request = PageRequest(tried.path, tried.query, method=method, body=body, headers=tried.headers)
        response = source.send(request)
        if not 200 <= response.status < 300:
            raise _refused(response, route, names["auth"])
        refuse_error(response.body.strip(), route, tried.path, found=True)
        return settle(guess(tried, response), response, names, source)
    finally:
        source.close()


def settle(
    drafts: list[Draft], response: HttpResponse, names: Mapping[str, Any], source: RestSource
) -> tuple[Draft, str]:
    """The first draft whose second page brings other records, and what has shown that; else the first that an answer
    itself speaks for, else the last (one page)."""
    from local.cli.route_guess import with_more
    from sportmonks.errors import SportmonksError

    tried = []
    for draft in drafts[:PROBES]:
        if draft.way.keys["style"] == "none":
            break
        try:
            result, rows = _second_page(draft, response, names, source)
        except SportmonksError as error:
            result, rows = error.message, []
        if result == "":
            return with_more(draft, rows), "the second page was requested, and it has other records"
        if result == "end":
            return draft, "there was one page in the answer that was looked at"
        if result == "empty":
            return draft, "the second page was requested, and it is empty"
        tried.append(f"{draft.way.keys.get('parameter') or draft.way.keys.get('next')}: {result}")
    sure = next((draft for draft in drafts if draft.way.sure), None)
    if sure is not None:
        return sure, f"TO BE CHECKED: {'; '.join(tried)}"
    return drafts[-1], "; ".join(tried)


def _second_page(
    draft: Draft, response: HttpResponse, names: Mapping[str, Any], source: RestSource
) -> tuple[str, list[Any]]:
    """Empty and its records when the second page has others; ``end`` where there is none, ``empty``, or why it is
    none."""
    from local.cli.route_guess import with_days
    from sportmonks import lenient_json
    from sportmonks.api.pagination import Paginator
    from sportmonks.routes.answer import read_page
    from sportmonks.routes.page import page_info
    from sportmonks.routes.request import Slice, page_request

    # With the days as they were given: the listing is the one that was looked at.
    route = _route(with_days(draft), names)
    first = read_page(response, route, route.path, lenient=True)
    paginator = Paginator.start(route.paging)
    paginator.take(page_info(first))
    if paginator.ended():
        return "end", []
    answer = source.send(page_request(route, Slice(0, None, {}), paginator))
    if not 200 <= answer.status < 300:
        return f"HTTP {answer.status}", []
    second = read_page(answer, route, route.path, lenient=True)
    if not second.rows:
        return "empty", []
    known = {bytes(row) for row in first.rows}
    if all(bytes(row) in known for row in second.rows):
        return "the same records", []
    return "", [lenient_json.decode(row)[0] for row in second.rows]


def _route(draft: Draft, names: Mapping[str, Any]) -> Route:
    """The route of a draft, as its file would be read."""
    from local.cli.route_yaml import route_file
    from sportmonks.routes.parse import parse_route

    return parse_route(route_file(draft, **names, proven=""))


def _refused(response: HttpResponse, route: Route, auth: Any) -> LocalError:
    from sportmonks.routes.answer_errors import message_of

    what, hint = explain_status(response.status, response.headers, route.connection)
    if response.status == 401:
        way = "as the connection says" if auth is None else f"by {auth}"
        hint = (
            f"the request was made {way}; give --token-env VARIABLE, and --auth with bearer, basic, the name of a"
            " header (X-Api-Key) or query:NAME"
        )
    return LocalError(f"HTTP {response.status}{message_of(response.body)}: {what}", hint=hint)


def _on_terminal() -> bool:
    return sys.stdin.isatty() and err.is_terminal


def _ask(what: str, about: str, default: str = "") -> str:
    """An answer from the terminal; UsageError where there is none."""
    if not _on_terminal():
        option = "the address" if what == "URL" else "--name CLIENT.ROUTE"
        raise UsageError(
            f"{option} is not given", hint="./etl routes new 'https://api.example.com/orders' --name acme.orders"
        )
    shown = f" [{default}]" if default else ""
    return err.input(f"{what} ({about}){escape(shown)}: ").strip() or default


def _url(text: str) -> str:
    """The address, without what belongs to a connection. UsageError for what is none, or holds a credential."""
    from sportmonks.redaction import without_credentials

    text = text.strip()
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError(
            "the address does not begin with http:// or https:// and a host", hint="copy it from a browser or curl"
        )
    if parts.username or parts.password:
        raise UsageError(
            "the address holds a login", hint="give --login NAME and --token-env VARIABLE, and leave it out"
        )
    if without_credentials(text) != text:
        kept = {name for name, _ in parse_qsl(without_credentials(parts.query), keep_blank_values=True)}
        lost = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if name not in kept]
        name = lost[0] if lost else "NAME"
        raise UsageError(
            f"the address holds a key ({name}), which others could read",
            hint=f"put it into an environment variable instead, and give --token-env VARIABLE --auth query:{name}",
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, ""))


def _suggested(url: str) -> str:
    """CLIENT.ROUTE from the address: https://api.example.com/v1/orders -> example.orders."""
    parts = urlsplit(url)
    host = (parts.hostname or "").split(".")
    client = host[-2] if len(host) > 1 and not host[-1].isdecimal() else "client"
    words = [
        word for word in parts.path.split("/") if word and not word.isdecimal() and not re.fullmatch(r"v\d+", word)
    ]
    route = _WORD.sub("_", words[-1].rpartition(".")[0] or words[-1]).strip("_").lower() if words else "records"
    return f"{client}.{route or 'records'}"


def _names(text: str) -> tuple[str, str]:
    client, _, route = text.strip().partition(".")
    if not re.search(r"[A-Za-z0-9]", client) or not re.search(r"[A-Za-z0-9]", route):
        raise UsageError(f"--name {text} is not CLIENT.ROUTE", hint="give two words with a dot, such as acme.orders")
    return client, route


def _auth(text: str | None) -> Any:
    """``auth`` of the route file: a word, the name of a header, or keys."""
    if text is None or text in ("auto", "none", "bearer", "basic"):
        return text
    name, _, rest = text.partition(":")
    if name == "query" and rest.strip():
        return {"type": "query", "name": rest.strip()}
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or name in ("query", "oauth2"):
        raise UsageError(
            f"--auth {text} is unknown",
            hint="give bearer, basic, none, X-Api-Key, 'Authorization: ApiKey', or query:NAME; the guide has more",
        )
    return {"type": "header", "name": name, "prefix": f"{rest.strip()} "} if rest.strip() else name


def _tried(url: str, args: argparse.Namespace, known: RouteAccess | None) -> tuple[str, TriedRequest]:
    """(base URL, request below it): that of the connection where the address lies below it."""
    from local.cli.route_guess import TriedRequest

    parts = urlsplit(url)
    host = f"{parts.scheme}://{parts.netloc}"
    if known is not None:
        base = known.base_url.rstrip("/")
        if not f"{url.partition('?')[0]}/".startswith(f"{base}/"):
            raise UsageError(
                f"the connection leads to {base}, and the address to {host}",
                hint="give the --connection of that host, or another name for a new one",
            )
        host = known.base_url
        parts = parts._replace(path=parts.path.removeprefix(urlsplit(base).path))
    headers = {}
    for text in args.header:
        name, mark, value = text.partition(":")
        if not mark:
            raise UsageError(
                f"--header {text} has no colon", hint="give NAME:VALUE; a key belongs to --token-env and --auth"
            )
        headers[name.strip()] = value.strip()
    try:
        body = None if args.body is None else json.loads(args.body)
    except ValueError as error:
        raise UsageError(f"--body is no JSON: {error}", hint="write it in single quotes") from None
    return host, TriedRequest.of(urlunsplit(("", "", parts.path, parts.query, "")), headers, body)


def _default_folder() -> Path:
    from sportmonks.config import settings

    return settings.ROUTES_DIR
