"""Decides who is to blame when a batch brings no fixture: the batch itself or the API.

A batch is suspected when its call fails for good or when each of its fixtures fails alone. Suspected batches are set
aside so that the others need not wait for them. As soon as another batch brings something, the API has proven that it
works, and the batches suspected before are to blame: their fixtures are recorded as failed. When no batch brings
anything, the API is down, and no fixture is recorded as failed for it; unless there are a few only and each failed
alone while the API answered another request. No threads and no I/O here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sportmonks.errors import TransientApiError
from sportmonks.planning.batches import Batch

# After more suspected batches in a row than this, the API counts as down and no further call is made.
MAX_SUSPECTED = 3
# When more fixtures than this fail and none comes, requests for fixtures fail, whatever else the API answers.
MAX_FAILING_ALONE = 3


@dataclass(frozen=True, slots=True)
class SuspectedBatch:
    """A batch that brought no fixture.

    ``reasons``: why, by fixture id. ``retry``: whether its call is worth another attempt, because it failed before any
    of its fixtures was requested alone. ``api_answers``: each failed alone while the API answered another request.
    """

    batch: Batch
    reasons: Mapping[int, str]
    retry: bool
    api_answers: bool = False


class Suspects:
    """The suspected batches of one chunk. Not thread-safe: callers share it under a lock of their own."""

    def __init__(self) -> None:
        self._api_works = False
        self._suspected: list[SuspectedBatch] = []  # since the last batch that brought something
        self._blamed: list[SuspectedBatch] = []

    def record_success(self) -> None:
        """A batch brought something about its fixtures, so the batches suspected so far are to blame."""
        self._api_works = True
        self._blamed += self._suspected
        self._suspected = []

    def undecided(self) -> bool:
        """Whether batches are suspected while nothing has proven that the API works."""
        return bool(self._suspected) and not self._api_works

    def add(
        self,
        batch: Batch,
        reasons: Mapping[int, str],
        *,
        call_failed: bool,
        repeated: bool,
        api_answers: bool = False,
    ) -> None:
        """Set a batch aside. ``repeated``: it was tried before, which makes it to blame whatever follows.

        Raises TransientApiError when too many batches in a row have brought nothing.
        """
        suspect = SuspectedBatch(batch, reasons, call_failed and not repeated, api_answers)
        (self._blamed if repeated else self._suspected).append(suspect)
        if len(self._suspected) > MAX_SUSPECTED:
            raise _api_is_down(suspect)

    def next_retry(self) -> Batch | None:
        """A batch whose call is to be repeated behind all others, if there is one and the API works; it is no longer
        suspected from here on."""
        for found in (self._blamed, self._suspected) if self._api_works else ():
            for place, suspect in enumerate(found):
                if suspect.retry:
                    return found.pop(place).batch
        return None

    def to_blame(self, *, interrupted: bool) -> list[SuspectedBatch]:
        """The batches whose fixtures are to be recorded as failed, in the order in which they were set aside.

        ``interrupted``: an error ended the chunk, so those suspected last are left out: they may not be to blame.
        Raises TransientApiError when the chunk was not interrupted and no batch brought anything.
        """
        if interrupted:
            return list(self._blamed)
        failing = sum(len(suspect.reasons) for suspect in self._suspected)
        answered = all(suspect.api_answers for suspect in self._suspected)
        if self.undecided() and (failing > MAX_FAILING_ALONE or not answered):
            raise _api_is_down(self._suspected[0])
        return [*self._blamed, *self._suspected]


def _api_is_down(suspect: SuspectedBatch) -> TransientApiError:
    return TransientApiError(f"None of the requested fixtures came back: {next(iter(suspect.reasons.values()))}")
