"""The newest periods of a route that its API has not published yet: it answers 404 for them, and has them later."""

from __future__ import annotations

import logging
from datetime import date, timedelta

from sportmonks.errors import FatalApiError
from sportmonks.routes.period import Window
from sportmonks.routes.request import Slice
from sportmonks.routes.spec import Route

log = logging.getLogger(__name__)

NOT_FOUND = 404
# How the listing of such a period ends.
NOT_PUBLISHED = "not_published"
# A period that ended longer ago than this, and than it is long itself, should be there: a doubt says so.
LATE_AFTER = timedelta(days=31)


class NewestPeriods:
    """The periods at the end of a run that are not there. Only those count that follow a published one, and that no
    published one follows: a 404 for the first period, or in the middle, is an error."""

    def __init__(self, route: Route, today: date) -> None:
        self._route = route
        self._today = today
        self._waiting: list[Window] = []
        self._error: FatalApiError | None = None

    def takes(self, part: Slice, error: Exception) -> bool:
        """Whether the refusal of the first page of ``part`` may mean that its period is not published yet. The run then
        goes on to the periods behind it, and its position stays where it is."""
        if self._route.for_each is not None or part.window is None or not part.index:
            return False
        if not isinstance(error, FatalApiError) or error.status != NOT_FOUND:
            return False
        self._error = self._error or error
        self._waiting.append(part.window)
        return True

    def check(self, part: Slice) -> None:
        """``part`` is there: raises the error of a period before it that is not."""
        if self._error is not None:
            raise FatalApiError(
                f"{self._waiting[0]} is not there, although {part} behind it is: {self._error.message}",
                hint=self._error.hint,
                status=NOT_FOUND,
            ) from self._error

    @property
    def periods(self) -> int:
        """How many there are."""
        return len(self._waiting)

    @property
    def first(self) -> date | None:
        """Their first day: the watermark stays before it."""
        return self._waiting[0].first if self._waiting else None

    @property
    def text(self) -> str:
        """The days that they cover."""
        return f"{self._waiting[0].first} to {self._waiting[-1].last}" if self._waiting else ""

    @property
    def doubt(self) -> str:
        """What speaks against waiting for them; empty where nothing does."""
        if not self._waiting:
            return ""
        oldest = self._waiting[0]
        over = self._today - oldest.last
        if over <= max(LATE_AFTER, oldest.last - oldest.first):
            return ""
        return f"{oldest}: it is not found (HTTP {NOT_FOUND}), although it ended {over.days} days ago"
