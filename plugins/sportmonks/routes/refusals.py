"""Refused pages: which listing is read from its beginning, which is skipped, which is not published yet, and which
refusal is an error of the run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import date

from sportmonks.api.pagination import Paginator
from sportmonks.errors import ConfigurationError, FatalApiError, OutsidePlanError
from sportmonks.routes.counters import ABSENT, END
from sportmonks.routes.page import Page
from sportmonks.routes.request import Slice
from sportmonks.routes.spec import Route
from sportmonks.routes.unpublished import NewestPeriods, newest_days, not_found

log = logging.getLogger(__name__)

Refusal = FatalApiError | OutsidePlanError

# How a listing of the Sportmonks API ends that the subscription does not cover: no failure, and no day is collected.
OUTSIDE_PLAN = "outside_plan"
# How a cursor or link is refused that has expired: the listing is then read from its beginning, once.
_EXPIRED = (400, 404, 410, 422)


def may_have_expired(paginator: Paginator, error: Refusal) -> bool:
    """Whether the refusal is that of a cursor or link which the API no longer knows."""
    follows = paginator.cursor is not None or paginator.link is not None
    return follows and isinstance(error, FatalApiError) and error.status in _EXPIRED


class Refusals:
    """The refused listings of a run. ``skipped``: how many an earlier try has left out; ``newest``: takes those that
    may not be published yet."""

    def __init__(self, route: Route, slices: Sequence[Slice], skipped: int, newest: NewestPeriods, today: date) -> None:
        self._route = route
        self._slices = slices
        self._skipped = skipped
        self._newest = newest
        self._today = today
        self._newest_of_items = newest_days(slices) if route.for_each is not None else set()

    def pages(self, part: Slice, paginator: Paginator, error: Refusal) -> Iterator[Page]:
        """What is written of a listing that ends with a refusal: a page without records that counts it. Raises the
        refusal where it is an error of the run."""
        if not paginator.pages and self._newest.takes(part, error):
            log.info("%s is not found (HTTP 404), it may not be published yet", part)
            first = part.window.first if part.window is not None else self._today
            yield Page([], [], {f"{ABSENT}{first.toordinal()}": 1.0}, part.index + 1, None, str(part), unproven=first)
            return
        if isinstance(error, FatalApiError):
            raise error
        if paginator.pages:
            raise FatalApiError(
                f"{part}: page {paginator.pages + 1} was refused: {error}",
                hint="Only a listing whose first page is refused is skipped. Clear the task to go on.",
            ) from error
        self._skipped += 1
        ours = self._route.api == "sportmonks"
        if self._all and not ours:
            # The next try requests all of them again: with one alone, the refusal of the others would pass.
            yield Page([], [], {"skipped": 1 - self._skipped}, 0, None, str(part))
            raise ConfigurationError(
                f"{self._route.name}: the API refused each of the {len(self._slices)} listings; the last: {error}",
                hint=f"Check the path and the access of the Airflow connection {self._route.connection}.",
            ) from error
        log.warning("Skipped %s: %s", part, error)
        if self._all:
            log.warning("%s: the subscription covers none of its %d listings", self._route.name, len(self._slices))
        yield self._skip(part, error, ours)

    @property
    def _all(self) -> bool:
        """Whether each listing of the run was skipped."""
        return self._skipped >= len(self._slices)

    def _skip(self, part: Slice, error: Refusal, ours: bool) -> Page:
        counted: dict[str, float] = {"skipped": 1.0} | ({f"{END}{OUTSIDE_PLAN}": 1} if ours else {})
        if part.window is not None and part.window.first in self._newest_of_items and not_found(error):
            counted[f"{ABSENT}{part.window.first.toordinal()}"] = 1
        days = part.window.first if part.window is not None and self._route.for_each is None else None
        if days is not None:
            # Some days of a route that has others are missing; where all are refused, it is outside the plan.
            counted["unproven"] = 1 - self._skipped if self._all else 1
        doubt = "" if days is None else f"{part}: it was refused"
        return Page([], [], counted, part.index + 1, None, str(part), unproven=days, doubt=doubt)
