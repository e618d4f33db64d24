"""The client of the Sportmonks API v3: single requests, listings page by page, batches of fixtures.

Paths are those of the API below ``/v3`` (``/football`` may be left out). The key travels in the Authorization header
only. What happens around one request is in :mod:`sportmonks.api.calls`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from sportmonks.api import retry
from sportmonks.api.batch import DEFAULT_MAX_BATCH, ENTITY, BatchResponse, check_ids, fetch_batch
from sportmonks.api.budget import NO_ACCOUNT, Budget, CallAccount
from sportmonks.api.calls import ApiRequest, Caller, CallRecord, CallStats
from sportmonks.api.endpoints import Endpoints, Row
from sportmonks.api.includes import Forbidden, ForbiddenIncludes, OnAllowed, OnForbidden, covers, name_of
from sportmonks.api.page_spec import V3_RULES, Step, page_info, sportmonks_pages
from sportmonks.api.pagination import Paginator
from sportmonks.api.paths import entity_of, full_path, shape
from sportmonks.api.response import ApiResponse
from sportmonks.api.transport import DEFAULT_MAX_BYTES, USER_AGENT, Transport
from sportmonks.config.known_includes import is_known
from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    TransientApiError,
)
from sportmonks.redaction import add_secret

log = logging.getLogger(__name__)

CHECK_TIMEOUT = (5.0, 10.0)
CHECK_TOTAL_S = 15.0


class SportmonksClient:
    """One connection to the API. Threads may share it.

    ``on_call`` gets a CallRecord after each request, ``on_forbidden`` each include that was refused, ``on_allowed``
    each that is taken again; ``forbidden`` and ``suspected`` are what was learned earlier, see
    :class:`~sportmonks.api.includes.ForbiddenIncludes`. Timeouts are in seconds; ``attempts`` counts the first request.
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
        suspected: Iterable[Forbidden] = (),
        on_call: Callable[[CallRecord], None] | None = None,
        on_forbidden: OnForbidden | None = None,
        on_allowed: OnAllowed | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if max_batch < 1:
            raise ConfigurationError(f"max_batch is {max_batch}.", hint="Set it to 1 or more (the API documents 50).")
        if attempts < 1:
            raise ConfigurationError(f"attempts is {attempts}.", hint="Set it to 1 or more.")
        add_secret(api_key.strip())
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
        self.endpoints = Endpoints(self)
        self._caller = Caller(self.transport, budget, max_batch=max_batch, on_call=on_call, sleep=sleep)
        self._includes = ForbiddenIncludes(forbidden, on_forbidden, suspected=suspected, on_allowed=on_allowed)
        self._sleep = sleep
        self._account = NO_ACCOUNT

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

    def count_calls_for(self, account: CallAccount) -> None:
        """From here on the calls of this client are counted in the books of ``account``."""
        self._account = account

    @property
    def base_url(self) -> str:
        return self.transport.base_url

    @property
    def forbidden_includes(self) -> frozenset[Forbidden]:
        """(entity, include) that the subscription refuses, as far as known."""
        return frozenset(self._includes)

    def allowed_includes(self, entity: str, includes: Iterable[str]) -> tuple[str, ...]:
        """``includes`` without those known to be refused for ``entity``."""
        return self._includes.allowed(entity, includes)

    def retest_includes(self, includes: Iterable[str], *, urgent: bool = False) -> None:
        """Find out about those of the ``includes`` of fixtures that were refused before, by one call for each refusal.

        The outcome goes where every refusal and every taken include goes. Raises what ``get`` raises.
        """
        includes = tuple(includes)
        for refused in self._includes.suspected(ENTITY):
            affected = [each for each in includes if covers(refused, name_of(each))]
            if affected:
                query = {"per_page": "1", "include": ";".join(affected)}
                request = ApiRequest(
                    "football/fixtures",
                    query,
                    ENTITY,
                    urgent,
                    self.attempts,
                    attempts_limited=self.attempts,
                    account=self._account,
                )
                self._includes.retest(partial(self._caller.call, request), ENTITY, refused)

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
        """One request with its retries; refused includes are learned and left out.

        Raises BudgetWait/CircuitOpenError (no call now, come back later), TransientApiError (attempts exhausted),
        OutsidePlanError, FatalApiError, ConfigurationError.
        """
        path = full_path(path)
        entity = entity or entity_of(path)
        query = dict(params or {})
        filters = ";".join(filters)
        if filters:
            query["filters"] = filters
        tries = attempts or self.attempts
        request = ApiRequest(
            path, query, entity, urgent, tries, max(tries, self.attempts), stats=stats, account=self._account
        )

        def call(includes: Sequence[str]) -> ApiResponse:
            full = {**query, "include": ";".join(includes)} if includes else query
            return self._caller.call(replace(request, query=full))

        return self._includes.call(call, entity, include, shape(path))

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

        ``cursor``: follow the cursor from the second page on. A listing that contradicts itself raises
        TransientApiError instead of ending early.
        """
        filters = tuple(filters)
        include = tuple(include)
        params = dict(params or {})
        paginator = Paginator.start(sportmonks_pages(params, cursor=cursor), rules=V3_RULES)
        retries = 0
        while not paginator.ended():
            _, query = paginator.request(params)
            response = self.get(path, include=include, filters=filters, params=query, entity=entity, urgent=urgent)
            # A page with fewer rows than it counts is requested once more; who reads the rows takes it as it is then.
            step = Step.AGAIN if response.lacking and not retries else paginator.take(page_info(response))
            if step is Step.AGAIN:
                retries += 1
                log.warning(
                    "%s: page %d is empty, repeated or incomplete, requesting it again",
                    shape(full_path(path)),
                    paginator.pages + 1,
                )
                self._sleep(retry.wait_before_retry(retries, None))
            elif step is not Step.END:
                retries = 0
                yield response

    def fixtures_multi(
        self, ids: Sequence[int], includes: Iterable[str] = (), *, urgent: bool = False
    ) -> BatchResponse:
        """Up to ``max_batch`` fixtures in one call; see :mod:`sportmonks.api.batch`."""
        includes = tuple(includes)
        response = fetch_batch(self.get, check_ids(ids, self.max_batch), includes, urgent=urgent)
        dropped = tuple(each for each in includes if each not in response.includes)
        return replace(response, dropped_includes=dropped)

    def check_includes(self, includes: Iterable[str]) -> None:
        """Try the includes of fixtures that are not among the documented ones, in one call; without such none is made.

        Raises UnknownIncludeError for one that does not exist, with a similar name. What only the plan refuses is
        learned, as in any other call.
        """
        unknown = tuple(dict.fromkeys(include for include in includes if not is_known(include)))
        if unknown:
            self.get("fixtures", include=unknown, params={"per_page": "1"}, urgent=True)

    def check_access(self) -> str:
        """One cheap call that proves address and key within seconds. An answer that refuses more than the key proves
        both, too: then a sentence says what is limited, else it is empty. Raises ConfigurationError that names the
        setting to correct."""
        hint = "Check SPORTMONKS_BASE_URL (the host of the Airflow connection sportmonks_api)."
        own = self.transport.timeout
        request = ApiRequest(
            "football/leagues",
            {"per_page": "1"},
            "League",
            urgent=True,
            attempts=min(2, self.attempts),
            timeout=(min(CHECK_TIMEOUT[0], own[0]), min(CHECK_TIMEOUT[1], own[1])),
            total_timeout=min(CHECK_TOTAL_S, self.transport.total_timeout),
            account=self._account,
        )
        try:
            self._caller.call(request)
        except OutsidePlanError:
            return "Its plan does not cover football leagues."
        except (TransientApiError, BudgetWait) as error:
            if isinstance(error, BudgetWait) and not isinstance(error, CircuitOpenError):
                return "Its calls of this hour are used up."
            raise ConfigurationError(
                f"The Sportmonks API at {self.base_url} does not answer: {error.message}", hint=hint
            ) from None
        except FatalApiError as error:
            raise ConfigurationError(
                f"What answers at {self.base_url} is not the Sportmonks API: {error.message}",
                hint=f"{hint} It ends in /v3.",
            ) from None
        return ""

    # The listings by name are part of the client's public surface; ``endpoints`` describes and reads them.

    def season_index(
        self, season_id: int, *, urgent: bool = False, on_left_out: Callable[[int], None] | None = None
    ) -> Iterator[list[Row]]:
        return self.endpoints.season_index(season_id, urgent=urgent, on_left_out=on_left_out)

    def season_fixtures(self, season_id: int, includes: Iterable[str], *, urgent: bool = False) -> Iterator[list[Row]]:
        return self.endpoints.season_fixtures(season_id, includes, urgent=urgent)

    def deleted_fixtures(self, season_id: int, *, urgent: bool = False) -> list[Row]:
        return self.endpoints.deleted_fixtures(season_id, urgent=urgent)

    def leagues(self, ids: Iterable[int] | None = None, *, urgent: bool = False) -> list[Row]:
        return self.endpoints.leagues(ids, urgent=urgent)

    def my_leagues(self) -> list[Row]:
        return self.endpoints.my_leagues()

    def seasons(self, league_id: int, *, urgent: bool = False) -> list[Row]:
        return self.endpoints.seasons(league_id, urgent=urgent)

    def states(self) -> list[Row]:
        return self.endpoints.states()

    def types(self) -> list[Row]:
        return self.endpoints.types()

    def countries(self) -> list[Row]:
        return self.endpoints.countries()

    def teams(self, season_id: int) -> list[Row]:
        return self.endpoints.teams(season_id)

    def venues(self, season_id: int) -> list[Row]:
        return self.endpoints.venues(season_id)

    def stages(self, season_id: int) -> list[Row]:
        return self.endpoints.stages(season_id)

    def rounds(self, season_id: int) -> list[Row]:
        return self.endpoints.rounds(season_id)

    def schedule(self, season_id: int) -> list[Row]:
        return self.endpoints.schedule(season_id)
