"""The listings that this package uses, by name. Rows are decoded; ids and references are integers or None."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from sportmonks.api.response import ApiResponse
from sportmonks.coerce import as_int, as_rows, clean_value
from sportmonks.errors import OutsidePlanError, UnknownIncludeError
from sportmonks.planning.states import DELETED

log = logging.getLogger(__name__)

Row = dict[str, Any]

INDEX_PER_PAGE = 1000
PER_PAGE = 50
# Up to this many leagues are requested one by one; for more, the list takes fewer calls.
LEAGUES_BY_ID = 5
# So many repaired values of one answer are named in the log.
MAX_REASONS = 5

_INTEGERS = frozenset({"id", "length", "starting_at_timestamp"})


def lenient(row: Row) -> Row:
    """A base row with its ids as integers or None: the API has sent ``""`` and ``"123"`` for them. Texts are as
    PostgreSQL can hold them, and a list that came as an object is a list."""
    found: Row = {}
    for key, value in row.items():
        if key in _INTEGERS or key.endswith("_id"):
            found[key] = as_int(value)
        else:
            rows = as_rows(value) if isinstance(value, dict) and value else None
            found[key] = clean_value(value if rows is None else rows)
    return found


class Client(Protocol):
    """What the listings need of a client; SportmonksClient has it."""

    def get(self, path: str, *, include: Iterable[str] = (), urgent: bool = False) -> ApiResponse: ...

    def iterate(
        self,
        path: str,
        *,
        include: Iterable[str] = (),
        filters: Iterable[str] = (),
        params: Mapping[str, str] | None = None,
        urgent: bool = False,
    ) -> Iterator[ApiResponse]: ...


class Endpoints:
    """The listings by name, read through ``client``. Raises what its ``get`` and ``iterate`` raise."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _list(
        self,
        path: str,
        *,
        include: Iterable[str] = (),
        filters: Iterable[str] = (),
        urgent: bool = False,
    ) -> list[Row]:
        """All rows of a listing, each id once."""
        params = {"per_page": str(PER_PAGE)}
        found: dict[int, Row] = {}
        for answer in self._client.iterate(path, include=include, filters=filters, params=params, urgent=urgent):
            for row in identified(answer, path):
                found[row["id"]] = row
        return list(found.values())

    def season_index(
        self, season_id: int, *, urgent: bool = False, on_left_out: Callable[[int], None] | None = None
    ) -> Iterator[list[Row]]:
        """Base rows of all fixtures of a season, page by page (up to 1000 rows a call, without includes).

        ``on_left_out`` gets, before each page, the number of its rows that have no id, cannot be read, or are counted
        by the answer and did not come.
        """
        for answer in self._client.iterate(
            "fixtures",
            filters=("populate", f"fixtureSeasons:{season_id}"),
            params={"per_page": str(INDEX_PER_PAGE)},
            urgent=urgent,
        ):
            rows, left_out = _identified(answer, f"index of season {season_id}")
            if on_left_out:
                on_left_out(left_out)
            yield rows

    def season_fixtures(self, season_id: int, includes: Iterable[str], *, urgent: bool = False) -> Iterator[list[Row]]:
        """All fixtures of a season with includes, page by page (50 rows a call), decoded. Collecting uses
        ``fixtures_multi``, which leaves the rows as raw JSON."""
        for answer in self._client.iterate(
            "fixtures",
            include=includes,
            filters=(f"fixtureSeasons:{season_id}",),
            params={"per_page": str(PER_PAGE)},
            urgent=urgent,
        ):
            yield identified(answer, f"fixtures of season {season_id}")

    def deleted_fixtures(self, season_id: int, *, urgent: bool = False) -> list[Row]:
        """Rows that the provider has marked as deleted (state 20) in a season.

        A server that does not know the filter lists all other fixtures: rows in another state are left out.
        """
        rows = self._list("fixtures", filters=("deleted", f"fixtureSeasons:{season_id}"), urgent=urgent)
        return [row for row in rows if row.get("state_id") in (DELETED, None)]

    def leagues(self, ids: Iterable[int] | None = None, *, urgent: bool = False) -> list[Row]:
        """Leagues with ``seasons``, ``currentseason`` and ``country``: those of ``ids`` that the subscription covers;
        None = all that it covers. Where the API does not know these includes, the leagues come without them."""
        for include in (("seasons", "currentSeason", "country"), ("seasons", "currentSeason")):
            try:
                return self._leagues(ids, include, urgent)
            except UnknownIncludeError as error:
                log.warning("Leagues are read with fewer includes: %s", error)
        return self._leagues(ids, (), urgent)

    def _leagues(self, ids: Iterable[int] | None, include: tuple[str, ...], urgent: bool) -> list[Row]:
        league_ids = None if ids is None else tuple(dict.fromkeys(ids))
        if league_ids is None or len(league_ids) > LEAGUES_BY_ID:
            rows = [_with_seasons(row) for row in self._list("leagues", include=include, urgent=urgent)]
            return rows if league_ids is None else [row for row in rows if row["id"] in league_ids]
        found: list[Row] = []
        for league_id in league_ids:
            try:
                answer = self._client.get(f"leagues/{league_id}", include=include, urgent=urgent)
            except OutsidePlanError:
                continue
            found += [_with_seasons(row) for row in identified(answer, "league") if row["id"] == league_id]
        return found

    def my_leagues(self) -> list[Row]:
        """Leagues that the subscription covers."""
        return self._list("my/leagues")

    def seasons(self, league_id: int, *, urgent: bool = False) -> list[Row]:
        """Seasons of a league, read with the league. Where that gives none, the list with a filter is read; the
        provider does not document that filter, so rows of other leagues are left out."""
        answer = self._client.get(f"leagues/{league_id}", include=("seasons",), urgent=urgent)
        leagues = [row for row in identified(answer, f"league {league_id}") if row["id"] == league_id]
        found = [season for league in leagues for season in _with_seasons(league).get("seasons", ())]
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
        return [lenient(row) for row in self._client.get(f"schedules/seasons/{season_id}").objects()]


def _with_seasons(league: Row) -> Row:
    """The league with its ``seasons``, where it has any, as base rows; those without an id, or of another league, are
    left out."""
    if "seasons" not in league:
        return league
    nested = as_rows(league.get("seasons")) or []
    rows = [lenient(season) for season in nested if isinstance(season, dict)]
    seasons = [season for season in rows if season.get("id") is not None]
    if len(seasons) < len(nested):
        log.warning("League %d: %d seasons without an id are ignored", league["id"], len(nested) - len(seasons))
    own = [season for season in seasons if season.get("league_id") in (None, league["id"])]
    if len(own) < len(seasons):
        log.warning("League %d: %d seasons of other leagues are ignored", league["id"], len(seasons) - len(own))
    return {**league, "seasons": own}


def identified(answer: ApiResponse, what: str) -> list[Row]:
    """Rows with an id, each id once (the last one counts). A row that cannot be read, or has no id, is left out, and
    the others are not affected."""
    return _identified(answer, what)[0]


def _identified(answer: ApiResponse, what: str) -> tuple[list[Row], int]:
    """The rows of ``identified``, and how many rows were left out."""
    decoded = answer.read()
    for reason in decoded.repaired[:MAX_REASONS]:
        log.warning("%s: %s; that value is replaced", what, reason)
    if decoded.unreadable:
        log.warning("%s: %d rows cannot be read; %s", what, len(decoded.unreadable), decoded.unreadable[0])
    rows = [lenient(row) for row in decoded.objects]
    found = {row["id"]: row for row in rows if row.get("id") is not None}
    without_id = len(answer.rows()) - len(decoded.unreadable) - sum(row.get("id") is not None for row in rows)
    if without_id:
        log.warning("%s: %d rows without an id are ignored", what, without_id)
    if answer.lacking:
        log.warning("%s: %d rows that the answer counts did not come", what, answer.lacking)
    return list(found.values()), without_id + len(decoded.unreadable) + answer.lacking
