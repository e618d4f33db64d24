"""What is wrong with an answer of a route's API, and what to do, as sentences. Pure functions."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from sportmonks.api.page_spec import PageSpec
    from sportmonks.routes.preview import Preview
    from sportmonks.routes.spec import Route

# How the end of a listing was known, in words.
ENDS: Mapping[str, str] = {
    "empty_page": "it is: the page is empty",
    "short_page": "it is: the page is short, and the route says until: short",
    "total": "it is: the total is reached",
    "flag": "it is: the answer's flag says that there is no more",
    "no_next": "it is: the answer names no next page",
    "error_behind_end": "it is: there is no such page",
    "repeated_page": "it is: the page was read before",
    "repeated_cursor": "it is: the page names itself as the next one",
    "one_page": "it is: the route says that there is one page",
}


def explain_status(status: int, headers: Mapping[str, str], connection: str) -> tuple[str, str]:
    """(what the status means, hint) of an answer that is no page."""
    if 300 <= status < 400:
        target = urlsplit(headers.get("Location") or "")
        where = f" to {target.scheme}://{target.netloc}{target.path}" if target.netloc else ""
        return f"the host redirects{where}", f"set the host of the connection {connection} to the API itself"
    if status == 401:
        offered = (headers.get("WWW-Authenticate") or "").partition(" ")[0].lower()
        wanted = f"; the API asks for {offered}" if offered in ("basic", "bearer") else ""
        return (
            "the API does not accept the login",
            f"check login and password of the connection {connection}, and auth in the route{wanted}",
        )
    if status == 403:
        return "this login may not read it", f"check the rights of the key of the connection {connection}, and the path"
    if status in (404, 410):
        return (
            "there is nothing at this address",
            f"check path in the route and the host of the connection {connection}",
        )
    if status == 405:
        return "the API wants another method", "write method: POST with a body, or leave both out"
    if status in (406, 415):
        return "the API does not offer this format", "write headers: {Accept: application/json}, or what the API offers"
    if status == 429:
        wait = headers.get("Retry-After")
        return "too many calls", f"try again {f'in {wait} s' if wait and wait.isdigit() else 'later'}"
    if status >= 500:
        return "the API has a fault just now", "try again later; a run repeats such requests by itself"
    return "the API refuses the request", "check query, body, and names and format of the period in the route"


def problem_of(found: Preview, route: Route) -> tuple[str, str] | None:
    """(message, hint) of what is wrong with a page; None when it is good."""
    if not found.problem:
        return None
    if found.status >= 300:
        reported = (
            found.problem.partition(": ")[0] if "(" in found.problem.partition(": ")[0] else f"HTTP {found.status}"
        )
        what, hint = explain_status(found.status, found.headers, route.connection)
        return f"{reported}: {what}", hint
    if "there is no list at" in found.problem:
        return found.problem.partition(" Correct records")[0], _records_hint(found, route)
    if found.problem.startswith("it names a further page"):
        return f"{found.problem}, and the route does not follow it", f"write {paging_hint(found)}, or paging: none"
    message, _, hint = found.problem.partition(". ")
    return message, hint or "look at the answer with a tool such as curl"


def _records_hint(found: Preview, route: Route) -> str:
    if not found.lists:
        return (
            "the answer has no list of records; if it leaves it out on no result: missing_records: empty; if it is one"
            " record: records: . with records_as: object"
        )
    paths = [path for path, _ in found.lists]
    written = ".".join(route.records) or "."
    near = difflib.get_close_matches(written, paths, n=1, cutoff=0.4) or paths[:1]
    count = dict(found.lists)[near[0]]
    others = [path for path in paths if path != near[0]]
    more = f" (others: {', '.join(others[:4])})" if others else ""
    lie = "1 record of this answer lies" if count == 1 else f"{count} records of this answer lie"
    return f"write records: {near[0]}, where {lie}{more}"


def paging_hint(found: Preview) -> str:
    """The paging that an answer suggests, as a route file writes it."""
    for one in found.paging:
        if one.kind == "link":
            return f"paging: {{style: next, next: {_quoted(one.path)}}}"
        if one.kind == "cursor":
            keys = f"style: cursor, parameter: NAME, next: {_quoted(one.path)}"
            return f"paging: {{{keys}}} (NAME: the parameter that takes it)"
    flags = [one.path for one in found.paging if one.kind == "flag"]
    return f"paging: {{style: page, parameter: page{f', more: {flags[0]}' if flags else ''}}}"


def _quoted(path: str) -> str:
    return f"'{path}'" if any(sign in path for sign in '"@[]{}:,') else path


def end_known_by(spec: PageSpec) -> str:
    """How a run will know the end of a listing, by the route's paging."""
    if spec.style == "none":
        return "there is one page"
    path = ".".join
    if spec.until == "empty":
        return f"by an empty page, or when {path(spec.next or ())} is missing" if spec.linked else "by an empty page"
    if spec.until == "short":
        return "by the first page that is shorter than one before it"
    if spec.until == "total":
        return "by the total alone"
    ways = []
    if spec.more:
        ways.append(f"by the flag {path(spec.more)}")
    if spec.done:
        ways.append(f"by the flag {path(spec.done)}")
    if spec.linked:
        ways.append(f"when {path(spec.next or ())} is missing")
        if spec.total:
            ways.append(f"by an empty page once the total {path(spec.total)} is reached")
        return ", or ".join(ways)
    if spec.total:
        ways.append(f"by the total {path(spec.total)}")
    if spec.total_pages:
        ways.append(f"by the number of pages {path(spec.total_pages)}")
    return ", or ".join([*ways, "by an empty page"])
