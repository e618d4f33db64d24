"""The client: budget before each call, status table after it, short retries between.

Paths are those of the API below ``/v3`` (``/football`` may be left out). The key travels in the Authorization header
only; logs and errors carry paths with their ids folded, never a query, a payload or the key.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import tenacity

from sportmonks.api.batch import DEFAULT_MAX_BATCH, BatchResponse, collect_multi
from sportmonks.api.budget import Budget, Grant
from sportmonks.api.calls import CallRecord, CallStats
from sportmonks.api.endpoints import CHECK_TIMEOUT, CHECK_TOTAL_S, Endpoints
from sportmonks.api.includes import Forbidden, ForbiddenIncludes, OnForbidden, named_in, without
from sportmonks.api.pagination import Paging, Step
from sportmonks.api.response import ApiResponse, Envelope, MalformedResponse, RateLimit, read_envelope, read_response
from sportmonks.api.status import LONGEST_WAIT_S, Decision, decide, is_exhausted, retry_after, wait_before_retry
from sportmonks.api.transport import DEFAULT_MAX_BYTES, USER_AGENT, HttpResponse, ResponseTooLarge, Transport
from sportmonks.errors import (
    BudgetWait,
    CircuitOpen,
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    RateLimited,
    TransientApiError,
)

log = logging.getLogger(__name__)

_ROOTS = ("football", "core", "my", "odds")
_IDS = re.compile(r"(?<=/)\d+(?:,\d+)*(?=/|$)")

# First segment below /football (or the whole path elsewhere) -> the bucket that the API counts it in.
_ENTITIES: Mapping[str, str] = {
    "fixtures": "Fixture",
    "livescores": "Fixture",
    "schedules": "Stage",
    "leagues": "League",
    "seasons": "Season",
    "states": "State",
    "types": "Type",
    "countries": "Country",
    "squads": "Team",
}


# Calls of a bucket that no single fixture or season can spoil: they tell whether the API is back after a rest.
_NEUTRAL: Mapping[str, str] = {
    "Fixture": "football/fixtures",
    "League": "football/leagues",
    "Season": "football/seasons",
    "Stage": "football/stages",
}


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    query: Mapping[str, str]
    entity: str
    urgent: bool = False
    attempts: int = 1
    attempts_limited: int = 1  # when the answer is 429, which says nothing about the request
    # Time-outs of its own: (connect, read) and total; None = the client's.
    timeout: tuple[float, float] | None = None
    total_timeout: float | None = None
    stats: CallStats | None = None


class _IncludeRefused(Exception):
    """The plan or the endpoint refuses an include of this request."""

    def __init__(self, code: int | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def full_path(path: str) -> str:
    """``football/fixtures`` of ``/fixtures``; core, my and odds paths as they are."""
    path = path.strip("/")
    return path if path.partition("/")[0] in _ROOTS else f"football/{path}"


def shape(path: str) -> str:
    """The path for logs: ``football/fixtures/multi/{50 ids}``."""
    return _IDS.sub(lambda found: "{id}" if "," not in found[0] else f"{{{found[0].count(',') + 1} ids}}", path)


def entity_of(path: str) -> str:
    """The bucket a path is most likely counted in; the budget learns from the answers where that is wrong."""
    root, _, rest = full_path(path).partition("/")
    segment = rest.partition("/")[0]
    if root == "my" and segment != "leagues":
        return "Resource"
    return _ENTITIES.get(segment) or segment.replace("-", " ").title().replace(" ", "").removesuffix("s") or "Resource"


class SportmonksClient(Endpoints):
    """One connection to the API. Threads may share it.

    ``on_call`` gets a CallRecord after each request, ``on_forbidden`` each include learnt to be refused;
    ``forbidden`` is what was learnt earlier. Time-outs in seconds; ``attempts`` counts the first one.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        budget: Budget,
        max_batch: int = DEFAULT_MAX_BATCH,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        total_timeout: float = 180.0,
        attempts: int = 5,
        max_bytes: int = DEFAULT_MAX_BYTES,
        user_agent: str = USER_AGENT,
        pool_size: int = 10,
        verify: bool | str = True,
        proxies: Mapping[str, str] | None = None,
        forbidden: Iterable[Forbidden] = (),
        on_call: Callable[[CallRecord], None] | None = None,
        on_forbidden: OnForbidden | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if max_batch < 1:
            raise ConfigurationError(f"max_batch is {max_batch}.", hint="Set it to 1 or more (the API documents 50).")
        if attempts < 1:
            raise ConfigurationError(f"attempts is {attempts}.", hint="Set it to 1 or more.")
        self.transport = Transport(
            base_url,
            api_key,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            total_timeout=total_timeout,
            max_bytes=max_bytes,
            user_agent=user_agent,
            pool_size=pool_size,
            verify=verify,
            proxies=proxies,
        )
        self.budget = budget
        self.max_batch = max_batch
        self.attempts = attempts
        self.on_call = on_call
        self._includes = ForbiddenIncludes(forbidden, on_forbidden)
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"SportmonksClient({self.transport.base_url})"

    def __enter__(self) -> SportmonksClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections and the budget's."""
        self.transport.close()
        self.budget.close()

    @property
    def base_url(self) -> str:
        return self.transport.base_url

    @property
    def forbidden_includes(self) -> frozenset[Forbidden]:
        """(entity, include) that the plan refuses, as far as known."""
        return frozenset(self._includes)

    def allowed_includes(self, entity: str, includes: Iterable[str]) -> tuple[str, ...]:
        """``includes`` without those known to be refused for ``entity``."""
        return self._includes.allowed(entity, includes)

    def get(
        self,
        path: str,
        *,
        include: Iterable[str] = (),
        filters: Iterable[str] = (),
        params: Mapping[str, str] | None = None,
        entity: str | None = None,
        urgent: bool = False,
        attempts: int | None = None,
        stats: CallStats | None = None,
    ) -> ApiResponse:
        """One request with its retries; refused includes are learnt and left out.

        Raises BudgetWait/CircuitOpen (no call now, come back later), TransientApiError (retries exhausted),
        OutsidePlanError, FatalApiError, ConfigurationError.
        """
        path = full_path(path)
        entity = entity or entity_of(path)
        query = dict(params or {})
        filters = ";".join(filters)
        if filters:
            query["filters"] = filters

        def call(includes: Sequence[str]) -> ApiResponse:
            full = {**query, "include": ";".join(includes)} if includes else query
            tries = attempts or self.attempts
            return self._retrying(_Request(path, full, entity, urgent, tries, max(tries, self.attempts), stats=stats))

        asked = self._includes.allowed(entity, include)
        while True:
            try:
                return call(asked)
            except _IncludeRefused as refused:
                if not asked:
                    raise FatalApiError(
                        f"{shape(path)}: the API refuses an include although none was asked: {refused.message}"
                    ) from None
                name = named_in(refused.message, asked)
                if name is None:
                    return self._find_allowed(call, path, entity, asked, refused)
                self._learn(entity, name, refused)
                asked = without(asked, name)

    def iterate(
        self,
        path: str,
        *,
        include: Iterable[str] = (),
        filters: Iterable[str] = (),
        params: Mapping[str, str] | None = None,
        entity: str | None = None,
        urgent: bool = False,
        cursor: bool = False,
    ) -> Iterator[ApiResponse]:
        """The pages of a listing, one request each, until its end; nothing when there is no result.

        A listing that contradicts itself raises TransientApiError rather than ending early.
        """
        filters = tuple(filters)
        include = tuple(include)
        paging = Paging(dict(params or {}), use_cursor=cursor)
        again = 0
        while not paging.finished:
            answer = self.get(
                path, include=include, filters=filters, params=paging.params(), entity=entity, urgent=urgent
            )
            step = paging.take(answer)
            if step is Step.YIELD:
                again = 0
                yield answer
            elif step is Step.AGAIN:
                again += 1
                log.warning("%s: page %d came empty or twice, asking again", shape(full_path(path)), paging.page)
                self._sleep(wait_before_retry(again, None))

    def fixtures_multi(
        self, ids: Sequence[int], includes: Iterable[str] = (), *, urgent: bool = False
    ) -> BatchResponse:
        """Up to ``max_batch`` fixtures in one call; see ``sportmonks.api.batch``."""
        return collect_multi(self, ids, tuple(includes), urgent=urgent)

    def _check_call(self) -> None:
        own = self.transport.timeout
        self._retrying(
            _Request(
                "football/leagues",
                {"per_page": "1"},
                "League",
                urgent=True,
                attempts=min(2, self.attempts),
                timeout=(min(CHECK_TIMEOUT[0], own[0]), min(CHECK_TIMEOUT[1], own[1])),
                total_timeout=min(CHECK_TOTAL_S, self.transport.total_timeout),
            )
        )

    def _retrying(self, request: _Request) -> ApiResponse:
        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            # After a 429 the budget holds everybody's next call back, this one's included.
            return 0.0 if isinstance(error, RateLimited) else wait_before_retry(state.attempt_number, error)

        def warn(state: tenacity.RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            log.warning("Attempt %d of %d failed: %s", state.attempt_number, request.attempts, error)

        def enough(state: tenacity.RetryCallState) -> bool:
            limited = state.outcome is not None and isinstance(state.outcome.exception(), RateLimited)
            return state.attempt_number >= (request.attempts_limited if limited else request.attempts)

        retrying = tenacity.Retrying(
            stop=enough,
            wait=wait,
            retry=tenacity.retry_if_exception(_worth_repeating),
            sleep=self._sleep,
            before_sleep=warn,
            reraise=True,
        )
        try:
            for attempt in retrying:
                with attempt:
                    return self._once(request, attempt.retry_state.attempt_number)
        except RateLimited as refused:
            # Refused again and again though it waited as it was told: no matter for a worker slot.
            seconds = max(refused.retry_after or 0.0, LONGEST_WAIT_S)
            raise _wait(BudgetWait, refused.message, refused.entity, seconds) from None
        raise AssertionError("tenacity ended without an outcome")

    def _once(self, request: _Request, attempt: int) -> ApiResponse:
        grant = self.budget.acquire(request.entity, urgent=request.urgent)
        neutral = _NEUTRAL.get(request.entity)
        if grant.probe and neutral:
            # One fixture that fails every request must not keep the API shut for all others.
            self._send(replace(request, path=neutral, query={"per_page": "1"}), grant, attempt)
            grant = self.budget.acquire(request.entity, urgent=request.urgent)
        return self._send(request, grant, attempt)

    def _send(self, request: _Request, grant: Grant, attempt: int) -> ApiResponse:
        where = shape(request.path)
        started = time.monotonic()
        reply: HttpResponse | None = None
        try:
            reply = self.transport.fetch(
                request.path,
                request.query,
                label=where,
                timeout=request.timeout,
                total_timeout=request.total_timeout,
            )
        except TransientApiError:
            self.budget.failure(grant)
            raise
        finally:
            status, size = (reply.status, len(reply.body)) if reply is not None else (0, 0)
            if request.stats is not None:
                request.stats.calls += 1
                request.stats.bytes += size
            self._record(CallRecord(where, request.entity, status, time.monotonic() - started, size, attempt))
        return self._judge(where, reply, grant)

    def _judge(self, where: str, reply: HttpResponse, grant: Grant) -> ApiResponse:
        """Books the answer and turns it into data or an error."""
        envelope: Envelope | None = None
        flaw = ""
        try:
            envelope = read_envelope(reply.body, reply.headers)
        except MalformedResponse as malformed:
            flaw = str(malformed)
        decision = decide(reply.status, envelope)
        said = (envelope.message if envelope else "") or flaw or f"HTTP {reply.status}"
        wait = retry_after(reply.headers, envelope)
        if decision is Decision.RATE_LIMITED:
            self.budget.penalise(grant, wait, exhausted=is_exhausted(envelope))
            raise RateLimited(f"{where}: {said}", entity=grant.bucket, retry_after=wait)
        if decision is Decision.RETRY:
            self.budget.failure(grant)
            text = f"{where}: HTTP {reply.status}, {said}"
            if wait is not None and wait > LONGEST_WAIT_S:
                # Maintenance: the API is away and says for how long.
                raise _wait(CircuitOpen, text, grant.bucket, wait)
            raise TransientApiError(text, retry_after=wait)

        good = decision in (Decision.OK, Decision.NO_RESULT)
        answer: ApiResponse | None = None
        if decision is Decision.OK and envelope is not None:
            try:
                answer = read_response(envelope, status=reply.status, size=len(reply.body))
            except MalformedResponse as malformed:
                self.budget.failure(grant)
                raise TransientApiError(f"{where}: {malformed}") from None
        figures = envelope.rate_limit if envelope else RateLimit()
        self.budget.settle(grant, figures, seconds=reply.seconds, answered=good)
        if answer is not None:
            return answer
        if good:
            return ApiResponse(
                None, said, rate_limit=figures, no_result=True, status=reply.status, size=len(reply.body)
            )
        raise self._error(decision, where, reply, envelope, said)

    def _error(
        self, decision: Decision, where: str, reply: HttpResponse, envelope: Envelope | None, said: str
    ) -> Exception:
        code = envelope.code if envelope else None
        text = f"{where}: HTTP {reply.status}{f' (code {code})' if code else ''}: {said}"
        if decision is Decision.DROP_INCLUDE:
            return _IncludeRefused(code, said)
        if decision is Decision.OUTSIDE_PLAN:
            return OutsidePlanError(text, hint="The subscription does not cover it; it is left out.")
        if reply.status == 401:
            return ConfigurationError(
                f"The Sportmonks API refuses the key ({said})",
                hint="Check SPORTMONKS_API_KEY (the password of the Airflow connection sportmonks_api).",
            )
        if 300 <= reply.status < 400:
            return ConfigurationError(
                f"{text}: {self.transport.host} sends its callers elsewhere.",
                hint="Set SPORTMONKS_BASE_URL to the API itself (https://api.sportmonks.com/v3).",
            )
        if decision is Decision.CONFIGURATION:
            return ConfigurationError(text, hint="Check the Sportmonks subscription.")
        hint = ""
        if reply.status == 404:
            hint = "Check SPORTMONKS_BASE_URL (it ends in /v3) and the path."
        elif "multi" in where:
            hint = f"Check the includes, and max_batch (now {self.max_batch})."
        return FatalApiError(text, hint=hint)

    def _learn(self, entity: str, include: str, refused: _IncludeRefused) -> None:
        if self._includes.learn(entity, include, refused.code, refused.message):
            log.warning("Include '%s' is left out for %s: the API refuses it (code %s)", include, entity, refused.code)

    def _find_allowed(
        self,
        call: Callable[[Sequence[str]], ApiResponse],
        path: str,
        entity: str,
        asked: Sequence[str],
        refused: _IncludeRefused,
    ) -> ApiResponse:
        """The message names no include: build the request up again, one include at a time."""
        log.warning("%s: an include is refused but not named, trying them one by one", shape(path))
        answer: ApiResponse | None = None
        kept: tuple[str, ...] = ()
        for include in asked:
            try:
                answer = call((*kept, include))
                kept = (*kept, include)
            except _IncludeRefused as each:
                self._learn(entity, include.partition(":")[0].strip().lower(), each)
        return answer if answer is not None else call(())

    def _record(self, record: CallRecord) -> None:
        log.debug("%s: %d in %.2f s, %d bytes", record.path, record.status, record.seconds, record.bytes)
        if self.on_call is not None:
            try:
                self.on_call(record)
            except Exception:
                log.exception("The metrics callback failed; the call itself is not affected")


def _wait(kind: type[BudgetWait], text: str, entity: str, seconds: float) -> BudgetWait:
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    return kind(f"{text}; not before {until:%Y-%m-%d %H:%M:%S} UTC.", entity=entity, seconds=seconds, until=until)


def _worth_repeating(error: BaseException) -> bool:
    # After a 429, too: asking the budget again is what waits, or says that the wait is too long.
    return isinstance(error, TransientApiError) and not isinstance(error, ResponseTooLarge)
