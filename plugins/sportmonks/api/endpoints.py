"""The listings this package uses, by name. Rows come decoded; ids and references are integers or None."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sportmonks.api.response import ApiResponse, row_id
from sportmonks.coerce import as_int
from sportmonks.errors import (
    BudgetWait,
    CircuitOpen,
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    TransientApiError,
)
from sportmonks.planning.states import DELETED

if TYPE_CHECKING:
    from sportmonks.api.budget import Budget
    from sportmonks.api.transport import Transport

log = logging.getLogger(__name__)

Row = dict[str, Any]

INDEX_PER_PAGE = 1000
PER_PAGE = 50
# Up to this many leagues are asked for one by one, more come cheaper as the list.
LEAGUES_BY_ID = 5

CHECK_TIMEOUT = (5.0, 10.0)
CHECK_TOTAL_S = 15.0

_INTEGERS = frozenset({"id", "length", "starting_at_timestamp"})


def lenient(row: Row) -> Row:
    """A base row with its ids as integers: the API has sent ``""`` and ``"123"`` for them."""
    return {key: as_int(value) if key in _INTEGERS or key.endswith("_id") else value for key, value in row.items()}


class Endpoints:
    """Mixed into the client, which supplies ``get`` and ``iterate``."""

    transport: Transport
    budget: Budget
    max_batch: int

    if TYPE_CHECKING:

        def get(
            self,
            path: str,
            *,
            include: Iterable[str] = (),
            filters: Iterable[str] = (),
            params: Mapping[str, str] | None = None,
            entity: str | None = None,
            urgent: bool = False,
        ) -> ApiResponse: ...

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
        ) -> Iterator[ApiResponse]: ...

    def _list(
        self,
        path: str,
        *,
        include: Iterable[str] = (),
        filters: Iterable[str] = (),
        per_page: int | None = PER_PAGE,
        urgent: bool = False,
    ) -> list[Row]:
        """All rows of a listing, each id once."""
        params = {"per_page": str(per_page)} if per_page else None
        found: dict[int, Row] = {}
        for answer in self.iterate(path, include=include, filters=filters, params=params, urgent=urgent):
            for row in _identified(answer, path):
                found[row["id"]] = row
        return list(found.values())

    def season_index(self, season_id: int, *, urgent: bool = False) -> Iterator[list[Row]]:
        """Base rows of all fixtures of a season, page by page (up to 1000 rows a call, without includes)."""
        for answer in self.iterate(
            "fixtures",
            filters=("populate", f"fixtureSeasons:{season_id}"),
            params={"per_page": str(INDEX_PER_PAGE)},
            urgent=urgent,
        ):
            yield _identified(answer, f"index of season {season_id}")

    def season_fixtures(self, season_id: int, includes: Iterable[str], *, urgent: bool = False) -> Iterator[list[Row]]:
        """All fixtures of a season with includes, page by page (50 rows a call). For the bulk of the work the
        multi endpoint does the same with raw rows."""
        for answer in self.iterate(
            "fixtures",
            include=includes,
            filters=(f"fixtureSeasons:{season_id}",),
            params={"per_page": str(PER_PAGE)},
            urgent=urgent,
        ):
            yield _identified(answer, f"fixtures of season {season_id}")

    def deleted_fixtures(self, season_id: int, *, urgent: bool = False) -> list[Row]:
        """Rows that the provider has marked as deleted (state 20) in a season.

        A server that does not know the filter lists the living ones: rows in another state are left out.
        """
        rows = self._list("fixtures", filters=("deleted", f"fixtureSeasons:{season_id}"), urgent=urgent)
        return [row for row in rows if row.get("state_id") in (DELETED, None)]

    def leagues(self, ids: Iterable[int] | None = None, *, urgent: bool = False) -> list[Row]:
        """Leagues with ``seasons`` and ``currentseason``; those of ``ids`` that the plan covers, or all it covers."""
        include = ("seasons", "currentSeason")
        wanted = None if ids is None else tuple(dict.fromkeys(ids))
        if wanted is None or len(wanted) > LEAGUES_BY_ID:
            rows = self._list("leagues", include=include, urgent=urgent)
            return rows if wanted is None else [row for row in rows if row["id"] in wanted]
        found: list[Row] = []
        for league_id in wanted:
            try:
                answer = self.get(f"leagues/{league_id}", include=include, urgent=urgent)
            except OutsidePlanError:
                continue
            found += [row for row in _identified(answer, "league") if row["id"] == league_id]
        return found

    def my_leagues(self) -> list[Row]:
        """Leagues that the subscription covers."""
        return self._list("my/leagues")

    def seasons(self, league_id: int, *, urgent: bool = False) -> list[Row]:
        """Seasons of a league, by the include of the league; only where that delivers none by the filter, which the
        provider does not confirm, so rows of other leagues are left out."""
        answer = self.get(f"leagues/{league_id}", include=("seasons",), urgent=urgent)
        nested = [season for league in answer.objects() for season in league.get("seasons") or ()]
        found = [row for row in map(lenient, nested) if row.get("id") is not None]
        if found:
            return found
        listed = self._list("seasons", filters=(f"seasonLeagues:{league_id}",), urgent=urgent)
        return [row for row in listed if row.get("league_id") == league_id]

    def states(self) -> list[Row]:
        return self._list("states")

    def types(self) -> list[Row]:
        return self._list("core/types")

    def countries(self) -> list[Row]:
        return self._list("core/countries")

    def teams(self, season_id: int) -> list[Row]:
        return self._list(f"teams/seasons/{season_id}")

    def venues(self, season_id: int) -> list[Row]:
        return self._list(f"venues/seasons/{season_id}")

    def stages(self, season_id: int) -> list[Row]:
        return self._list(f"stages/seasons/{season_id}")

    def rounds(self, season_id: int) -> list[Row]:
        return self._list(f"rounds/seasons/{season_id}")

    def schedule(self, season_id: int) -> list[Row]:
        """Stages of a season with their rounds and fixtures; one call of the bucket ``Stage``."""
        return [lenient(row) for row in self.get(f"schedules/seasons/{season_id}").objects()]

    def check_access(self) -> None:
        """One cheap call that proves address and key within seconds. Raises ConfigurationError that names the
        setting to correct; a rate limit proves both."""
        hint = "Check SPORTMONKS_BASE_URL (the host of the Airflow connection sportmonks_api)."
        try:
            self._check_call()
        except (TransientApiError, BudgetWait) as error:
            if isinstance(error, BudgetWait) and not isinstance(error, CircuitOpen):
                return
            raise ConfigurationError(
                f"The Sportmonks API at {self.transport.base_url} does not answer: {error.message}", hint=hint
            ) from None
        except OutsidePlanError:
            return
        except FatalApiError as error:
            raise ConfigurationError(
                f"What answers at {self.transport.base_url} is not the Sportmonks API: {error.message}",
                hint=f"{hint} It ends in /v3.",
            ) from None

    def _check_call(self) -> None:
        raise NotImplementedError


def _identified(answer: ApiResponse, what: str) -> list[Row]:
    """Rows with an id, each id once (the last one counts)."""
    found = {row["id"]: row for row in map(lenient, answer.objects()) if row.get("id") is not None}
    without_id = sum(row_id(row) is None for row in answer.rows())
    if without_id:
        log.warning("%s: %d rows without an id are ignored", what, without_id)
    return list(found.values())
