"""Where pages come from: Sportmonks through its client (budget, status table), other JSON APIs through a plain one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import msgspec
import requests
import tenacity
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import parse_header_links

from sportmonks.api.status import BY_CLASS, BY_STATUS, Decision, retry_after, wait_before_retry
from sportmonks.api.transport import HttpResponse, ResponseTooLarge, Transport
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.errors import (
    BudgetWait,
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    RateLimited,
    TransientApiError,
)
from sportmonks.redaction import add_secret, mask_text
from sportmonks.routes.records import dig
from sportmonks.routes.spec import Route

if TYPE_CHECKING:
    from sportmonks.api.client import SportmonksClient

log = logging.getLogger(__name__)

# Longer waits are not slept through: the task gives its worker slot back.
MAX_INLINE_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """One answer: its records undecoded, and what it says about paging."""

    rows: list[msgspec.Raw]
    more: bool | None = None
    total: int | None = None
    next: str | None = None
    size: int = 0


class Source(Protocol):
    """One API. Used by one fetch thread."""

    def fetch(self, path: str, query: Mapping[str, str], *, link: str | None = None, beyond: bool = False) -> Fetched:
        """One page, retried. ``link``: follow it instead of ``path``. ``beyond``: the page may lie behind the end,
        so "not found" means empty. Raises the package's errors; BudgetWait = no call now, come back."""
        ...

    def close(self) -> None: ...


class SportmonksSource:
    """Pages through the package's client: its budget, its retries, its table of statuses and codes."""

    def __init__(self, client: SportmonksClient, route: Route) -> None:
        self._client = client
        self._route = route

    def fetch(self, path: str, query: Mapping[str, str], *, link: str | None = None, beyond: bool = False) -> Fetched:
        route = self._route
        answer = self._client.get(
            path, include=route.include, params=query, entity=route.entity, attempts=route.retry_max + 1
        )
        rows = answer.rows()
        if route.records[1:]:
            rows = [row for item in rows for row in _rows(dig(item, route.records[1:]), route, path)]
        paging = answer.pagination
        if paging is None:
            return Fetched(rows, more=False, size=answer.size)
        return Fetched(rows, more=paging.has_more, next=paging.next_cursor, size=answer.size)

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
class Access:
    """An Airflow connection as a route needs it. ``base_url`` may hold a path; the password never leaves a header."""

    base_url: str
    login: str = ""
    password: str = ""
    verify: bool | str = True
    proxies: Mapping[str, str] | None = None

    def auth(self, kind: str, connection: str) -> AuthBase:
        """``kind``: auto, none, bearer, basic or the name of a header."""
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
    """The package's transport (deadline, size limit, no redirects) for any host and any way to say who we are."""

    def __init__(self, origin: str, auth: AuthBase, *, timeout: float, access: Access) -> None:
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
    """Pages of any JSON API. ``sleep`` is replaced in tests."""

    def __init__(self, route: Route, access: Access, *, sleep: Callable[[float], None] = time.sleep) -> None:
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
        self._sleep = sleep

    def close(self) -> None:
        self._transport.close()

    def fetch(self, path: str, query: Mapping[str, str], *, link: str | None = None, beyond: bool = False) -> Fetched:
        where = f"{self._prefix}/{path.lstrip('/')}"
        params: Mapping[str, str] | None = dict(query)
        label = where
        if link is not None:
            where, params = self._followed(link, where), None
            label = urlsplit(where).path
        attempts = self._route.retry_max

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return wait_before_retry(state.attempt_number, error)

        def warn(state: tenacity.RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            pause = state.next_action.sleep if state.next_action else 0.0
            log.warning("Attempt %d/%d failed, waiting %.1f s: %s", state.attempt_number, attempts, pause, error)
            if pause > MAX_INLINE_WAIT_S and isinstance(error, RateLimited):
                until = datetime.now(UTC) + timedelta(seconds=pause)
                raise BudgetWait(
                    f"{label}: the API asks to wait {pause:.0f} s.",
                    entity=self._route.name,
                    seconds=pause,
                    until=until,
                )

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(attempts + 1),
            wait=wait,
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, TransientApiError) and not isinstance(error, ResponseTooLarge)
            ),
            sleep=self._sleep,
            before_sleep=warn,
            reraise=True,
        )
        return retrying(self._once, where, params, label, beyond)

    def _once(self, where: str, params: Mapping[str, str] | None, label: str, beyond: bool) -> Fetched:
        reply = self._transport.fetch(where, params, label=label)
        status = reply.status
        if status == 204 or (beyond and status == 404):
            return Fetched([], more=False, size=len(reply.body))
        if status // 100 != 2:
            raise self._error(reply, label)
        try:
            return self._read(reply, label)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            looks = "a web page" if reply.body.lstrip()[:1] == b"<" else "no valid JSON"
            raise TransientApiError(f"{label}: HTTP {status}, but the answer is {looks}.") from None

    def _error(self, reply: HttpResponse, label: str) -> Exception:
        status = reply.status
        said = f"{label}: HTTP {status}{_message(reply.body)}"
        decision = BY_STATUS.get(status) or BY_CLASS.get(status // 100, Decision.FATAL)
        wait = retry_after(reply.headers, None)
        if decision is Decision.RATE_LIMITED:
            return RateLimited(said, entity=self._route.name, retry_after=wait)
        if decision is Decision.RETRY:
            return TransientApiError(said, retry_after=wait)
        if status in (401, 402, 403):
            if self._route.for_each and status == 403:
                return OutsidePlanError(said)
            hint = f"Check login and password of the Airflow connection {self._route.connection}."
            return ConfigurationError(said, hint=hint)
        if 300 <= status < 400:
            return ConfigurationError(
                f"{said}: the host sends its callers elsewhere.",
                hint=f"Set the host of the Airflow connection {self._route.connection} to the API itself.",
            )
        if status == 404 and self._route.for_each:
            return OutsidePlanError(said)
        return FatalApiError(said, hint=f"Check path, query and period in {self._route.file or 'the route'}.")

    def _read(self, reply: HttpResponse, label: str) -> Fetched:
        route, paging = self._route, self._route.paging
        body = reply.body.removeprefix(b"\xef\xbb\xbf").strip()
        if not body.isascii():
            body.decode("utf-8")  # undecoded slices are not checked, and PostgreSQL would refuse the batch
        msgspec.json.decode(body, type=msgspec.Raw)
        following: str | None = None
        if paging.next == ("header", "link"):
            links = parse_header_links(reply.headers.get("Link", ""))
            following = next((link["url"] for link in links if link.get("rel") == "next"), None)
        elif paging.next is not None:
            following = _text(dig(body, paging.next))
        return Fetched(
            rows=_rows(dig(body, route.records), route, label, body),
            more=_flag(body, paging.more),
            total=_whole(body, paging.total),
            next=following,
            size=len(reply.body),
        )

    def _followed(self, link: str, current: str) -> str:
        """Path and query of a next link, on our own scheme and port. Raises FatalApiError for another host: the
        key is not sent there."""
        parts = urlsplit(urljoin(f"{self._origin}{current}", link))
        if parts.hostname != self._host:
            raise FatalApiError(
                f"The next link leads to another host ({parts.hostname}).", hint="Use that host's own connection."
            )
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if self._secret and any(value == self._secret for _, value in pairs):
            kept = urlencode([(name, value) for name, value in pairs if value != self._secret])
            parts = parts._replace(query=kept)
        return urlunsplit(("", "", parts.path, parts.query, ""))


def _rows(raw: msgspec.Raw | None, route: Route, label: str, body: bytes = b"") -> list[msgspec.Raw]:
    """The list at ``records``; one object is a list of one. A missing one is an error unless the route says
    otherwise: an empty answer and a wrong path must not look alike."""
    first = b"" if raw is None else bytes(memoryview(raw)[:1])
    if raw is not None and first == b"[":
        return msgspec.json.decode(raw, type=list[msgspec.Raw])
    if raw is not None and first == b"{":
        return [raw]
    path = ".".join(route.records) or "."
    if raw is None and (route.missing_records == "empty" or _is_null(body, route.records)):
        return []
    there = f" The answer has: {', '.join(sorted(_keys(body))[:12])}." if body else ""
    raise FatalApiError(
        f"{label}: there is no list at '{path}'.{there}",
        hint="Correct records in the route; if the API leaves it out on no result: missing_records: empty.",
    )


def _keys(body: bytes) -> list[str]:
    return list(msgspec.json.decode(body, type=dict[str, msgspec.Raw])) if body[:1] == b"{" else []


def _is_null(body: bytes, path: JsonPath) -> bool:
    """The key is there and says null: nothing found, in other words."""
    parent = dig(body, path[:-1]) if path and body else None
    if parent is None or bytes(memoryview(parent)[:1]) != b"{":
        return False
    return path[-1] in msgspec.json.decode(parent, type=dict[str, msgspec.Raw])


def _text(raw: msgspec.Raw | None) -> str | None:
    value: Any = None if raw is None else msgspec.json.decode(raw)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def _flag(body: bytes, path: JsonPath | None) -> bool | None:
    """Truth of the value at ``path``: true, a number other than 0, a text such as a next link."""
    if path is None:
        return None
    raw = dig(body, path)
    if raw is None:
        return False if _is_null(body, path) else None
    value = msgspec.json.decode(raw)
    return value.lower() not in ("", "false", "0", "no") if isinstance(value, str) else bool(value)


def _whole(body: bytes, path: JsonPath | None) -> int | None:
    text = _text(dig(body, path)) if path is not None else None
    return int(text) if text is not None and text.isdecimal() else None


def _message(body: bytes) -> str:
    """What an error's body says of itself, short and masked; nothing else of it."""
    try:
        for key in ("message", "error", "detail", "title"):
            text = _text(dig(body.strip(), (key,)))
            if text:
                return f" ({mask_text(text)[:200]})"
    except msgspec.MsgspecError:
        pass
    return ""
