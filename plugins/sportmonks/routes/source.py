"""Where pages come from: Sportmonks through its client, any other API through RestSource.

Both use the same retry loop, status table and transport; RestSource adds what is particular to an unknown API: the
ways to authenticate, the paths of records and paging in its answers, and errors that name route and connection.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from sportmonks.api.budget import NO_ACCOUNT, Budget, CallAccount
from sportmonks.api.client import SportmonksClient
from sportmonks.api.response import ApiResponse
from sportmonks.api.retry import LONGEST_WAIT_S, RetryPolicy, call_with_retries
from sportmonks.api.status import BEHIND_END, ONE_OF_MANY, OTHER_API, Decision, decide_status
from sportmonks.api.transport import HttpResponse
from sportmonks.errors import (
    BudgetWait,
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    RateLimitError,
    SportmonksError,
    TransientApiError,
)
from sportmonks.redaction import MASK, mask_known, without_credentials
from sportmonks.routes.access import RouteAccess, open_transport
from sportmonks.routes.answer import FetchedPage, read_page
from sportmonks.routes.answer_errors import backoff_in_body, message_of, wait_in_body
from sportmonks.routes.answer_records import rows_at
from sportmonks.routes.authentication import authentication
from sportmonks.routes.credentials import QueryKeys
from sportmonks.routes.json_path import dig
from sportmonks.routes.limits import is_limit, is_throttled, read_limits, wait_in_text, wait_named
from sportmonks.routes.request import (
    PageRequest,
    credential_parameters,
    credentials_in,
    filled,
    filled_body,
    templates_of,
    values_of,
)
from sportmonks.routes.spec import Route

# All routes of a connection take their calls from this bucket of its budget: accounts have one limit.
BUCKET = "calls"
# A page that was refused and may lie behind the end is requested again after so many seconds.
REFUSED_WAIT_S = 3.0


class Source(Protocol):
    """One API. It is used by one thread at a time. ``base_url``: without credentials and query."""

    base_url: str

    def fetch(self, request: PageRequest) -> FetchedPage:
        """One page, with retries. Raises the package's errors; BudgetWait: no call may be made now, come back later."""
        ...

    def close(self) -> None: ...


class SportmonksSource:
    """Pages read with the package's client: its budget, its retries, its table of statuses and error codes."""

    def __init__(self, client: SportmonksClient, route: Route) -> None:
        self._client = client
        self._route = route
        self.base_url = client.base_url

    def fetch(self, request: PageRequest) -> FetchedPage:
        route = self._route
        try:
            answer = self._get(request)
        except OutsidePlanError:
            answer = self._get(request)  # a refusal may be an accident
        rows = answer.rows()
        outer = None
        if inner := route.records[1:]:
            outer = rows
            rows = [row for one in outer for row in rows_at(dig(one, inner), route, request.path, bytes(one))]
        paging = answer.pagination
        if paging is None:
            return FetchedPage(rows, more=False, size=answer.size, outer=outer)
        following = paging.next_cursor
        return FetchedPage(
            rows,
            more=paging.has_more,
            next=without_credentials(following) if following else None,
            size=answer.size,
            outer=outer,
        )

    def _get(self, request: PageRequest) -> ApiResponse:
        answer = self._client.get(
            request.path,
            include=self._route.include,
            params={name: str(value) for name, value in request.query.items()},
            entity=self._route.entity,
            attempts=self._route.retry_max + 1,
        )
        if refused := _records_refused(answer, self._route):
            raise OutsidePlanError(f"{request.path}: the subscription does not cover the include {refused}.")
        return answer

    def close(self) -> None:
        self._client.close()


def _records_refused(answer: ApiResponse, route: Route) -> str:
    """The include that holds the records, where the API has refused it; empty where it has not."""
    part = route.records[1] if len(route.records) > 1 else ""
    return next((name for name in route.include if name.lower() == part and name not in answer.includes), "")


class RestSource:
    """Pages of any API. ``budget``: shared by all routes of the connection; without one, waits concern this source
    alone. ``account``: in whose books calls are counted. ``sleep`` waits between attempts; tests replace it."""

    def __init__(
        self,
        route: Route,
        access: RouteAccess,
        *,
        budget: Budget | None = None,
        account: CallAccount = NO_ACCOUNT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(access.base_url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ConfigurationError(
                f"The connection {route.connection} holds no base URL.",
                hint="Set its host to something like https://api.example.com/v1.",
            )
        self._route = route
        self._secret = access.password
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._host = parts.hostname
        self._prefix = parts.path.rstrip("/")
        self.base_url = self.origin + self._prefix
        self._auth = authentication(route, access)
        self._credentials = access.credentials(credentials_in(templates_of(route), route), route.connection)
        self._keys = credential_parameters(route)
        self._added = QueryKeys((), self._auth)
        if self._keys:
            self._auth = self._added
        self._transport = open_transport(self.origin, self._auth, route.timeout_seconds, access)
        self._budget = budget
        self._account = account
        self._policy = RetryPolicy(route.name, attempts=route.retry_max + 1, budgeted=budget is not None)
        self._decisions = (ONE_OF_MANY, OTHER_API) if route.for_each else (OTHER_API,)
        self._sleep = sleep
        self._rests_until = 0.0
        self._refused: PageRequest | None = None

    def close(self) -> None:
        self._auth.close()
        self._transport.close()
        if self._budget is not None:
            self._budget.close()

    def fetch(self, request: PageRequest) -> FetchedPage:
        label = self.address(request)[2]
        # What cannot be read may have been damaged on its way; when it comes a second time, it is the API's own.
        unreadable = self._policy.attempts == 1

        def attempt(_: int) -> FetchedPage:
            nonlocal unreadable
            response = self._answered(request, label)
            if response.status == 204 or response.status >= 400:
                # 204 is an empty page; an error is one only where the page may lie behind the end.
                refused = response.status if response.status >= 400 else None
                return FetchedPage([], size=len(response.body), refused=refused)
            if wait := backoff_in_body(response.body):
                self._rests_until = time.monotonic() + wait
            try:
                return read_page(response, self._route, label, lenient=unreadable)
            except TransientApiError as error:
                unreadable = True
                error.retry_after = error.retry_after or wait_named(response.headers)
                raise

        if request == self._refused:
            self._sleep(REFUSED_WAIT_S)  # a passing fault would last beyond two requests in a row
        found = call_with_retries(attempt, self._policy, sleep=self._sleep)
        self._refused = request if found.refused is not None else None
        return found

    def address(self, request: PageRequest) -> tuple[str, Mapping[str, Any] | None, str]:
        """(path below the host, query or None where the path holds it, the path as errors and logs show it)."""
        label = f"{self._prefix}/{request.path.lstrip('/')}"
        where = filled(label, {name: quote(value, safe=":,@+") for name, value in self._credentials.items()})
        if request.link is None:
            return where, dict(request.query), mask_known(label)
        followed = self._followed(request.link, where)
        return followed, None, mask_known(urlsplit(followed).path)

    def send(self, request: PageRequest) -> HttpResponse:
        """One request without retries, and the answer whatever it is; credentials are masked in it. A 401 is answered
        with another token where there is one."""
        where, params, label = self.address(request)
        if params is not None:
            params = {name: value for name, value in params.items() if name not in self._keys}
        # The other parameters are added when the request leaves, so that they appear in no log.
        self._added.pairs = tuple(
            (name, filled(text, self._credentials))
            for name, value in request.query.items()
            if name in self._keys
            for text in values_of(value)
        )
        filled_in = {name: filled(value, self._credentials) for name, value in request.headers.items()}
        headers: dict[str, Any] = {
            name: value if value.isascii() else value.encode() for name, value in filled_in.items()
        }
        body = None if request.body is None else filled_body(request.body, self._credentials)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        for _ in range(2):
            self._auth.prepare()
            response = self._transport.fetch(
                where, params, label=label, method=request.method, body=body, headers=headers
            )
            if response.status != 401:
                self._auth.accepted()
                break
            if not self._auth.refused():
                break
        return response

    def _answered(self, request: PageRequest, label: str) -> HttpResponse:
        """An answer that is no failure, or an error that may mean the end of a listing; reported to the budget. Raises
        the error that the status stands for."""
        report = _Report(self)
        try:
            response = self.send(request)
        except SportmonksError:
            report.failed(0)
            raise
        decision = self.decide(response, beyond=request.beyond)
        if decision is Decision.RATE_LIMITED:
            wait = wait_named(response.headers)
            if wait is None:
                wait = wait_in_body(response.body)
            if wait is None:
                wait = wait_in_text(response.body)
            report.limited(wait, read_limits(response.headers).remaining == 0, len(response.body))
            raise RateLimitError(
                f"{label}: HTTP {response.status}{message_of(response.body)}", entity=self._entity(), retry_after=wait
            )
        if decision is Decision.RETRY:
            report.failed(len(response.body))
            raise self._error(decision, response, label)
        report.answered(response, good=decision in (Decision.OK, Decision.NO_RESULT))
        if decision not in (Decision.OK, Decision.NO_RESULT):
            raise self._error(decision, response, label)
        return response

    def decide(self, response: HttpResponse, *, beyond: bool = False) -> Decision:
        """What the status of an answer means."""
        if response.status == 403 and is_limit(response.headers, response.body):
            return Decision.RATE_LIMITED
        if response.status == 400 and is_throttled(response.body):
            return Decision.RATE_LIMITED
        decisions = (BEHIND_END, *self._decisions) if beyond else self._decisions
        return decide_status(response.status, *decisions)

    def _entity(self) -> str:
        return BUCKET if self._budget is not None else self._route.name

    def rest(self) -> None:
        """Wait for the end of a window whose calls are used up, as an earlier answer named it. Raises BudgetWait."""
        left = self._rests_until - time.monotonic()
        if left <= 0:
            return
        if left > LONGEST_WAIT_S:
            raise BudgetWait.after(left, entity=self._entity(), reason="no call is left in this window")
        self._sleep(left)
        self._rests_until = 0.0

    def _error(self, decision: Decision, response: HttpResponse, label: str) -> Exception:
        status, connection = response.status, self._route.connection
        text = f"{label}: HTTP {status}{message_of(response.body)}"
        if decision is Decision.RETRY:
            return TransientApiError(text, retry_after=wait_named(response.headers))
        if decision is Decision.OUTSIDE_PLAN:
            return OutsidePlanError(text, status=status)
        if 300 <= status < 400:
            return self._redirected(text, response.headers.get("Location") or "")
        if decision is Decision.CONFIGURATION:
            hint = f"Check login and password of the Airflow connection {connection}."
            return ConfigurationError(text, hint=hint)
        hint = f"Check path, query and period in {self._route.file or 'the route'}."
        return FatalApiError(text, hint=hint, status=status)

    def _redirected(self, text: str, target: str) -> ConfigurationError:
        """Redirects are not followed, because the credentials would go with them."""
        parts = urlsplit(urljoin(self.origin, target))
        connection = f"the host of the Airflow connection {self._route.connection}"
        if not target:
            return ConfigurationError(f"{text}: it redirects elsewhere.", hint=f"Set {connection} to the API itself.")
        if parts.hostname != self._host:
            # Its path and query are not shown: they may be signed.
            return ConfigurationError(
                f"{text}: it redirects to another host ({parts.hostname}).", hint=f"Set {connection} to the API itself."
            )
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            hint = f"Set {connection} to {parts.scheme}://{parts.netloc}{self._prefix}."
            return ConfigurationError(f"{text}: it redirects to {parts.scheme}://{parts.netloc}.", hint=hint)
        path = mask_known(parts.path)
        hint = f"Write this path, below the base URL of the connection, in {self._route.file or 'the route'}."
        return ConfigurationError(f"{text}: it redirects to the path {path}.", hint=hint)

    def _followed(self, link: str, current: str) -> str:
        """Path and query of a next link, on our own scheme and port. Raises FatalApiError for another host: the
        key is not sent there."""
        link = link.replace("&amp;", "&")
        if "=" in link and not re.search(r"[/?:#]", link.partition("=")[0]):
            link = f"?{link}"  # a query alone
        parts = urlsplit(urljoin(f"{self.origin}{current}", link))
        if parts.hostname != self._host:
            raise FatalApiError(
                f"The next link leads to another host ({parts.hostname}).",
                hint="Use that host's own connection; or take only a parameter of the link, which is sent to this one:"
                " style: cursor, with parameter: its name.",
            )
        if self._prefix and f"{self._prefix}{parts.path}" == current:
            # Behind a proxy, an API may not know that its paths begin with more.
            parts = parts._replace(path=current)
        # What a link repeats of the connection is masked in it: it is where the route's own path has it.
        own = current.split("/")
        named = [
            own[place] if MASK in part and place < len(own) and self._credentials else part
            for place, part in enumerate(parts.path.split("/"))
        ]
        # Links of page states that older versions stored may hold the key.
        path = "/".join(named).replace(MASK, self._secret) if self._secret else "/".join(named)
        return urlunsplit(("", "", path, without_credentials(parts.query), ""))


class _Report:
    """One call in the books of the budget: taken when it begins, reported when it has ended."""

    def __init__(self, source: RestSource) -> None:
        self._source = source
        self._budget = source._budget
        source.rest()
        self._grant = self._budget.acquire(BUCKET, account=source._account) if self._budget is not None else None

    def failed(self, size: int) -> None:
        if self._budget is not None and self._grant is not None:
            self._budget.failure(self._grant, size=size)

    def limited(self, wait: float | None, exhausted: bool, size: int) -> None:
        if self._budget is not None and self._grant is not None:
            self._budget.penalise(self._grant, wait, exhausted=exhausted, size=size)

    def answered(self, response: HttpResponse, *, good: bool) -> None:
        limits = read_limits(response.headers)
        if self._budget is not None and self._grant is not None:
            self._budget.settle(self._grant, limits, seconds=response.seconds, answered=good, size=len(response.body))
        elif limits.remaining == 0:
            self._source._rests_until = time.monotonic() + (limits.resets_in_seconds or 0.0)
