"""One call to the Sportmonks API with its retries: the budget before it, the status table after it.

Each attempt asks the budget, sends the request, reports the outcome to the budget and to the metrics, and becomes an
answer or one of the package's errors. Logs and errors carry paths with their ids folded, never a query, a payload or
the key.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sportmonks.api.budget import NO_ACCOUNT, Budget, CallAccount, Grant
from sportmonks.api.includes import IncludeRefusedError
from sportmonks.api.paths import PROBE_PATHS, shape
from sportmonks.api.response import (
    ApiResponse,
    Envelope,
    MalformedResponseError,
    RateLimit,
    read_envelope,
    read_response,
)
from sportmonks.api.retry import RetryPolicy, call_with_retries
from sportmonks.api.status import Decision, decide, is_exhausted, retry_after
from sportmonks.api.transport import HttpResponse, Transport
from sportmonks.errors import ConfigurationError, FatalApiError, OutsidePlanError, RateLimitError, TransientApiError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One HTTP request as metrics see it. ``status`` 0 = no complete answer; ``path`` has its ids folded."""

    path: str
    entity: str
    status: int
    seconds: float
    bytes: int
    attempt: int


@dataclass(slots=True)
class CallStats:
    """Requests and bytes of one operation, failed attempts included."""

    calls: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request: ``path`` below ``/v3``, ``entity`` = the bucket of the budget that it takes a call from.

    ``attempts``: requests at most, the first one included; ``attempts_limited``: the same while the answer is a rate
    limit. ``timeout`` (connect, read) and ``total_timeout`` in seconds; None = the transport's. ``account``: in whose
    books its calls are counted.
    """

    path: str
    query: Mapping[str, str]
    entity: str
    urgent: bool = False
    attempts: int = 1
    attempts_limited: int = 1
    timeout: tuple[float, float] | None = None
    total_timeout: float | None = None
    account: CallAccount = NO_ACCOUNT
    stats: CallStats | None = None


class Caller:
    """Makes calls through one transport and one budget. Threads may share it.

    ``on_call`` gets a CallRecord after each request. ``max_batch`` is named in the hint for a refused batch.
    """

    def __init__(
        self,
        transport: Transport,
        budget: Budget,
        *,
        max_batch: int,
        on_call: Callable[[CallRecord], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.transport = transport
        self.budget = budget
        self.max_batch = max_batch
        self.on_call = on_call
        self.sleep = sleep

    def call(self, request: ApiRequest) -> ApiResponse:
        """The answer, after as many attempts as the request allows.

        Raises BudgetWait/CircuitOpenError (no call now, come back later), TransientApiError (attempts exhausted),
        OutsidePlanError, FatalApiError, ConfigurationError, IncludeRefusedError.
        """
        policy = RetryPolicy(request.entity, request.attempts, request.attempts_limited, budgeted=True)
        return call_with_retries(lambda attempt: self._attempt(request, attempt), policy, sleep=self.sleep)

    def _attempt(self, request: ApiRequest, attempt: int) -> ApiResponse:
        grant = self._acquire(request)
        probe_path = PROBE_PATHS.get(request.entity)
        if grant.probe and probe_path:
            # One fixture whose every request fails must not keep the circuit open for all others.
            self._send(replace(request, path=probe_path, query={"per_page": "1"}), grant, attempt)
            grant = self._acquire(request)
        return self._send(request, grant, attempt)

    def _acquire(self, request: ApiRequest) -> Grant:
        return self.budget.acquire(request.entity, urgent=request.urgent, account=request.account)

    def _send(self, request: ApiRequest, grant: Grant, attempt: int) -> ApiResponse:
        where = shape(request.path)
        started = time.monotonic()
        response: HttpResponse | None = None
        try:
            response = self.transport.fetch(
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
            status, size = (response.status, len(response.body)) if response is not None else (0, 0)
            if request.stats is not None:
                request.stats.calls += 1
                request.stats.bytes += size
            self._record(CallRecord(where, request.entity, status, time.monotonic() - started, size, attempt))
        return self._read(where, response, grant)

    def _read(self, where: str, response: HttpResponse, grant: Grant) -> ApiResponse:
        """Reports the outcome to the budget; the answer, or the error that the status table decides on."""
        envelope: Envelope | None = None
        flaw = ""
        try:
            envelope = read_envelope(response.body, response.headers)
        except MalformedResponseError as malformed:
            flaw = str(malformed)
        size = len(response.body)
        decision = decide(response.status, envelope)
        message = (envelope.message if envelope else "") or flaw or f"HTTP {response.status}"
        wait = retry_after(response.headers, envelope)
        if decision is Decision.RATE_LIMITED:
            self.budget.penalise(grant, wait, exhausted=is_exhausted(envelope), size=size)
            raise RateLimitError(f"{where}: {message}", entity=grant.bucket, retry_after=wait)
        if decision is Decision.RETRY:
            self.budget.failure(grant, size=size)
            raise TransientApiError(f"{where}: HTTP {response.status}, {message}", retry_after=wait)

        good = decision in (Decision.OK, Decision.NO_RESULT)
        answer: ApiResponse | None = None
        if decision is Decision.OK and envelope is not None:
            try:
                answer = read_response(envelope, status=response.status, size=size, packed=response.packed)
            except MalformedResponseError as malformed:
                self.budget.failure(grant, size=size)
                raise TransientApiError(f"{where}: {malformed}") from None
        rate_limit = envelope.rate_limit if envelope else RateLimit()
        self.budget.settle(grant, rate_limit, seconds=response.seconds, answered=good, size=size)
        if answer is not None:
            return answer
        if good:
            return ApiResponse(None, message, rate_limit=rate_limit, no_result=True, status=response.status, size=size)
        raise self._error(decision, where, response.status, envelope.code if envelope else None, message)

    def _error(self, decision: Decision, where: str, status: int, code: int | None, message: str) -> Exception:
        text = f"{where}: HTTP {status}{f' (code {code})' if code else ''}: {message}"
        if decision is Decision.DROP_INCLUDE:
            return IncludeRefusedError(code, message)
        if decision is Decision.OUTSIDE_PLAN:
            return OutsidePlanError(text, hint="The subscription does not cover it; it is left out.")
        if status == 401:
            return ConfigurationError(
                f"The Sportmonks API refuses the key ({message})",
                hint="Check SPORTMONKS_API_KEY (the password of the Airflow connection sportmonks_api).",
            )
        if 300 <= status < 400:
            return ConfigurationError(
                f"{text}: {self.transport.host} redirects elsewhere.",
                hint="Set SPORTMONKS_BASE_URL to the API itself (https://api.sportmonks.com/v3).",
            )
        if decision is Decision.CONFIGURATION:
            return ConfigurationError(text, hint="Check the Sportmonks subscription.")
        hint = ""
        if status == 404:
            hint = "Check SPORTMONKS_BASE_URL (it ends in /v3) and the path."
        elif "multi" in where:
            hint = f"Check the includes, and max_batch (now {self.max_batch})."
        return FatalApiError(text, hint=hint)

    def _record(self, record: CallRecord) -> None:
        log.debug("%s: %d in %.2f s, %d bytes", record.path, record.status, record.seconds, record.bytes)
        if self.on_call is not None:
            try:
                self.on_call(record)
            except Exception:
                log.exception("The metrics callback failed; the call itself is not affected")
