"""Where pages come from: Sportmonks through its client, any other JSON API through RestSource.

Both use the same retry loop, status table and transport; RestSource adds what is particular to an unknown API: the
ways to authenticate, the paths of records and paging in its answers, and errors that name route and connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin, urlsplit, urlunsplit

import msgspec
import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import parse_header_links

from sportmonks.api.client import SportmonksClient
from sportmonks.api.retry import RetryPolicy, call_with_retries
from sportmonks.api.status import BEHIND_END, ONE_OF_MANY, OTHER_API, Decision, decide_status, retry_after
from sportmonks.api.transport import HttpResponse, Transport
from sportmonks.errors import ConfigurationError, FatalApiError, OutsidePlanError, RateLimitError, TransientApiError
from sportmonks.redaction import MASK, add_secret, mask_known, mask_text, without_credentials
from sportmonks.routes.records import JSON_ERRORS, dig, flag_at, json_body, number_at, rows_at, text_at
from sportmonks.routes.spec import Route


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """One answer: its records undecoded, and what it says about paging. ``size``: bytes of the body."""

    rows: list[msgspec.Raw]
    more: bool | None = None
    total: int | None = None
    next: str | None = None
    size: int = 0


class Source(Protocol):
    """One API. It is used by one thread at a time."""

    def fetch(
        self, path: str, query: Mapping[str, str], *, link: str | None = None, beyond: bool = False
    ) -> FetchedPage:
        """One page, with retries. ``link``: follow it instead of ``path``. ``beyond``: the page may lie behind the end
        of the listing, so that "not found" means empty. Raises the package's errors; BudgetWait: no call may be made
        now, come back later."""
        ...

    def close(self) -> None: ...


class SportmonksSource:
    """Pages read with the package's client: its budget, its retries, its table of statuses and error codes."""

    def __init__(self, client: SportmonksClient, route: Route) -> None:
        self._client = client
        self._route = route

    def fetch(
        self, path: str, query: Mapping[str, str], *, link: str | None = None, beyond: bool = False
    ) -> FetchedPage:
        route = self._route
        answer = self._client.get(
            path, include=route.include, params=query, entity=route.entity, attempts=route.retry_max + 1
        )
        rows = answer.rows()
        if route.records[1:]:
            rows = [row for item in rows for row in rows_at(dig(item, route.records[1:]), route, path)]
        paging = answer.pagination
        if paging is None:
            return FetchedPage(rows, more=False, size=answer.size)
        return FetchedPage(rows, more=paging.has_more, next=_storable(paging.next_cursor), size=answer.size)

    def close(self) -> None:
        self._client.close()


class _HeaderAuth(AuthBase):
    """One header; as ``auth`` it also keeps a .netrc from adding its own."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._name:
            request.headers[self._name] = self._value
        return request

    def __repr__(self) -> str:
        return "HeaderAuth(***)"


@dataclass(frozen=True)
class RouteAccess:
    """An Airflow connection as a route needs it. ``base_url`` may have a path; the password travels in a header."""

    base_url: str
    login: str = ""
    password: str = ""
    verify: bool | str = True
    proxies: Mapping[str, str] | None = None

    def auth(self, kind: str, connection: str) -> AuthBase:
        """How requests authenticate. ``kind``: auto, none, bearer, basic or the name of a header.

        Raises ConfigurationError that names ``connection`` when it has no password.
        """
        if kind == "auto":
            kind = ("basic" if self.login else "bearer") if self.password else "none"
        if kind == "none":
            return _HeaderAuth("", "")
        if not self.password:
            raise ConfigurationError(
                f"The connection {connection} has no password.", hint="Put the API's key or token there."
            )
        add_secret(self.password)
        if kind == "basic":
            return HTTPBasicAuth(self.login, self.password)
        if kind == "bearer":
            return _HeaderAuth("Authorization", f"Bearer {self.password}")
        return _HeaderAuth(kind, self.password)


class _RestTransport(Transport):
    """The package's transport (deadline, size limit, no redirects) for any host and any way to authenticate."""

    def __init__(self, origin: str, auth: AuthBase, *, timeout: float, access: RouteAccess) -> None:
        super().__init__(
            origin,
            "replaced-below",
            connect_timeout=10.0,
            read_timeout=timeout,
            total_timeout=3 * timeout,
            verify=access.verify,
            proxies=access.proxies,
        )
        self.base_url = origin
        self.session.auth = auth


class RestSource:
    """Pages of any JSON API. ``sleep`` waits between attempts; tests replace it."""

    def __init__(self, route: Route, access: RouteAccess, *, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(access.base_url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ConfigurationError(
                f"The connection {route.connection} holds no base URL.",
                hint="Set its host to something like https://api.example.com/v1.",
            )
        self._route = route
        self._secret = access.password
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._host = parts.hostname
        self._prefix = parts.path.rstrip("/")
        self._transport = _RestTransport(
            self._origin,
            access.auth(route.auth, route.connection),
            timeout=route.timeout_seconds,
            access=access,
        )
        self._policy = RetryPolicy(route.name, attempts=route.retry_max + 1)
        self._decisions = (ONE_OF_MANY, OTHER_API) if route.for_each else (OTHER_API,)
        self._sleep = sleep

    def close(self) -> None:
        self._transport.close()

    def fetch(
        self, path: str, query: Mapping[str, str], *, link: str | None = None, beyond: bool = False
    ) -> FetchedPage:
        where = f"{self._prefix}/{path.lstrip('/')}"
        params: Mapping[str, str] | None = dict(query)
        label = mask_known(where)
        if link is not None:
            where, params = self._followed(link, where), None
            label = mask_known(urlsplit(where).path)

        def attempt(_: int) -> FetchedPage:
            response = self._transport.fetch(where, params, label=label)
            decisions = (BEHIND_END, *self._decisions) if beyond else self._decisions
            decision = decide_status(response.status, *decisions)
            if decision is Decision.NO_RESULT:
                return FetchedPage([], more=False, size=len(response.body))
            if decision is not Decision.OK:
                raise self._error(decision, response, label)
            try:
                return self._read(response, label)
            except JSON_ERRORS:
                looks = "a web page" if response.body.lstrip()[:1] == b"<" else "no valid JSON"
                raise TransientApiError(f"{label}: HTTP {response.status}, but the answer is {looks}.") from None

        return call_with_retries(attempt, self._policy, sleep=self._sleep)

    def _error(self, decision: Decision, response: HttpResponse, label: str) -> Exception:
        status, connection = response.status, self._route.connection
        text = f"{label}: HTTP {status}{_message(response.body)}"
        if decision is Decision.RATE_LIMITED:
            return RateLimitError(text, entity=self._route.name, retry_after=retry_after(response.headers, None))
        if decision is Decision.RETRY:
            return TransientApiError(text, retry_after=retry_after(response.headers, None))
        if decision is Decision.OUTSIDE_PLAN:
            return OutsidePlanError(text)
        if 300 <= status < 400:
            return ConfigurationError(
                f"{text}: the host redirects elsewhere.",
                hint=f"Set the host of the Airflow connection {connection} to the API itself.",
            )
        if decision is Decision.CONFIGURATION:
            hint = f"Check login and password of the Airflow connection {connection}."
            return ConfigurationError(text, hint=hint)
        return FatalApiError(text, hint=f"Check path, query and period in {self._route.file or 'the route'}.")

    def _read(self, response: HttpResponse, label: str) -> FetchedPage:
        """The records of a good answer and what it says about paging. Raises one of JSON_ERRORS, FatalApiError."""
        route, paging = self._route, self._route.paging
        body = json_body(response.body)
        following: str | None = None
        if paging.next == ("header", "link"):
            links = parse_header_links(response.headers.get("Link", ""))
            following = next((link["url"] for link in links if link.get("rel") == "next"), None)
        elif paging.next is not None:
            following = text_at(body, paging.next)
        return FetchedPage(
            rows=rows_at(dig(body, route.records), route, label, body),
            more=flag_at(body, paging.more),
            total=number_at(body, paging.total),
            next=_storable(following),
            size=len(response.body),
        )

    def _followed(self, link: str, current: str) -> str:
        """Path and query of a next link, on our own scheme and port. Raises FatalApiError for another host: the
        key is not sent there."""
        parts = urlsplit(urljoin(f"{self._origin}{current}", link))
        if parts.hostname != self._host:
            raise FatalApiError(
                f"The next link leads to another host ({parts.hostname}).", hint="Use that host's own connection."
            )
        # Links of page states that older versions stored may hold the key.
        path = parts.path.replace(MASK, self._secret) if self._secret else parts.path
        return urlunsplit(("", "", path, without_credentials(parts.query), ""))


def _storable(following: str | None) -> str | None:
    """A next link or cursor without credentials, which becomes part of the stored page state."""
    return following if following is None else without_credentials(following)


def _message(body: bytes) -> str:
    """The message in the body of an error, short and masked; nothing else of the body."""
    try:
        for key in ("message", "error", "detail", "title"):
            text = text_at(body.strip(), (key,))
            if text:
                return f" ({mask_text(text)[:200]})"
    except JSON_ERRORS:
        pass
    return ""
