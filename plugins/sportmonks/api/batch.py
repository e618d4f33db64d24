"""A batch of fixtures by id, and what to do when one of them spoils it.

A batch that keeps failing (5xx, cut, truncated; not a refusal) is halved until the bad id stands alone. The good ones
are returned, the bad one is named. Before ids are blamed, the API has to prove that it is alive: when nothing
succeeds, it is down, and that is not the ids' fault.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from sportmonks.api.calls import CallStats
from sportmonks.api.response import row_id
from sportmonks.errors import ConfigurationError, FatalApiError, TransientApiError

if TYPE_CHECKING:
    from sportmonks.api.client import SportmonksClient

log = logging.getLogger(__name__)

DEFAULT_MAX_BATCH = 50
# The whole batch has had its full number of attempts already.
ATTEMPTS_WHEN_SPLIT = 2
# After so many bad ids the search ends: finding the rest would cost more calls than it is worth now.
MAX_POISONED = 10
# So many in a row, and nothing beside them that answers: their season is down, and no id is to blame.
MAX_WITHOUT_ANSWER = 3

ENTITY = "Fixture"


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """What became of the ids asked for.

    ``rows``: untouched JSON by fixture id. ``missing``: not in the answer (which proves nothing, the API forgets
    fixtures now and then). ``poisoned``: id -> why its request keeps failing. ``calls``/``bytes``: HTTP requests,
    failed ones included, and the bytes of their bodies. ``dropped_includes``: asked for but refused by the plan,
    ``includes``: what was asked for in the end.
    """

    rows: dict[int, msgspec.Raw]
    asked: tuple[int, ...]
    missing: tuple[int, ...] = ()
    poisoned: dict[int, str] = field(default_factory=dict)
    calls: int = 0
    bytes: int = 0
    dropped_includes: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()


def check_ids(ids: Sequence[Any], max_batch: int) -> tuple[int, ...]:
    """The ids without repeats. Raises ConfigurationError for too many, FatalApiError for none or no real ids."""
    asked = tuple(dict.fromkeys(ids))
    if not asked:
        raise FatalApiError("No fixture ids were given.", hint="Ask for at least one.")
    bad = [each for each in asked if isinstance(each, bool) or not isinstance(each, int) or each <= 0]
    if bad:
        raise FatalApiError(f"Not a fixture id: {bad[0]!r}.", hint="Ids are positive integers.")
    if len(asked) > max_batch:
        raise ConfigurationError(
            f"{len(asked)} fixture ids in one batch, the maximum is {max_batch}.",
            hint="Lower batch_size, or raise max_batch if the API takes more.",
        )
    return asked


def collect_multi(
    client: SportmonksClient, ids: Sequence[int], includes: tuple[str, ...], *, urgent: bool = False
) -> BatchResponse:
    """Fetch ``ids`` in one call, or in as many as it takes to get around a bad one.

    Raises what ``client.get`` raises; TransientApiError only when the API as a whole is failing.
    """
    asked = check_ids(ids, client.max_batch)
    batch = _Batch(client, includes, urgent)
    batch.collect(asked)
    allowed = client.allowed_includes(ENTITY, includes)
    used = set(allowed)
    return BatchResponse(
        rows=batch.rows,
        asked=asked,
        missing=tuple(each for each in asked if each not in batch.rows and each not in batch.poisoned),
        poisoned=batch.poisoned,
        calls=batch.stats.calls,
        bytes=batch.stats.bytes,
        dropped_includes=tuple(each for each in includes if each not in used),
        includes=allowed,
    )


class _Batch:
    def __init__(self, client: SportmonksClient, includes: tuple[str, ...], urgent: bool) -> None:
        self.client = client
        self.includes = includes
        self.urgent = urgent
        self.rows: dict[int, msgspec.Raw] = {}
        self.poisoned: dict[int, str] = {}
        self.stats = CallStats()
        self.answered: int | None = None  # an id whose request has succeeded

    def collect(self, asked: tuple[int, ...]) -> None:
        try:
            self._fetch(asked, None)
        except TransientApiError as error:
            log.warning("A batch of %d fixtures keeps failing, looking for the one to blame: %s", len(asked), error)
            self._isolate(asked, error)

    def _isolate(self, asked: tuple[int, ...], error: TransientApiError) -> None:
        """``asked`` has failed as a whole: split it until the bad ids stand alone, or there are too many of them."""
        if self.answered is None and len(self.poisoned) >= MAX_WITHOUT_ANSWER:
            raise TransientApiError(
                f"The API keeps failing for every part of a batch of fixtures: {error.message}",
                retry_after=error.retry_after,
            )
        if len(self.poisoned) >= MAX_POISONED:
            why = f"not tried alone: {MAX_POISONED} others of its batch keep failing"
            self.poisoned |= dict.fromkeys((each for each in asked if each not in self.rows), why)
            return
        if len(asked) == 1:
            if self.answered is None and not self._api_answers_elsewhere():
                raise error
            self._blame(asked[0], error)
            return
        half = (len(asked) + 1) // 2
        failed: list[tuple[tuple[int, ...], TransientApiError]] = []
        for part in (asked[:half], asked[half:]):
            try:
                self._fetch(part, ATTEMPTS_WHEN_SPLIT)
            except TransientApiError as part_error:
                failed.append((part, part_error))
        if len(failed) == 2 and not self._is_alive():
            raise TransientApiError(
                f"The API keeps failing for every part of a batch of fixtures: {failed[1][1].message}",
                retry_after=failed[1][1].retry_after,
            )
        for bad_part, its_error in failed:
            self._isolate(bad_part, its_error)

    def _blame(self, fixture_id: int, error: TransientApiError) -> None:
        self.poisoned[fixture_id] = error.message
        log.warning("Fixture %d alone keeps failing and is left out: %s", fixture_id, error)

    def _is_alive(self) -> bool:
        """Both halves have failed: two bad ids, or no API?"""
        return self._answers((self.answered,)) if self.answered is not None else self._api_answers_elsewhere()

    def _answers(self, ids: tuple[int, ...]) -> bool:
        try:
            self._fetch(ids, 1)
        except TransientApiError:
            return False
        return True

    def _api_answers_elsewhere(self) -> bool:
        """With no good fixture at hand, a listing that names none tells whether the API is up."""
        try:
            self.client.get(
                "fixtures",
                params={"per_page": "1"},
                entity=ENTITY,
                urgent=self.urgent,
                attempts=1,
                stats=self.stats,
            )
        except TransientApiError:
            return False
        return True

    def _fetch(self, ids: tuple[int, ...], attempts: int | None) -> None:
        answer = self.client.get(
            f"fixtures/multi/{','.join(map(str, ids))}",
            include=self.includes,
            entity=ENTITY,
            urgent=self.urgent,
            attempts=attempts,
            stats=self.stats,
        )
        left = dict.fromkeys(ids)
        strange = 0
        for row in answer.rows():
            found = row_id(row)
            if found in left or found in self.rows:
                # A row that comes twice: the later one counts.
                self.rows[found] = row
                left.pop(found, None)
            else:
                strange += 1
        if strange:
            log.warning("%d rows of a batch carry no id or one that was not asked for; they are ignored", strange)
        self.answered = ids[0]
        if left and len(ids) - len(left) == DEFAULT_MAX_BATCH:
            # An API that takes more ids than it answers must not look like one that forgets fixtures.
            log.warning("%d fixtures asked, %d came: asking for the rest. Lower max_batch", len(ids), DEFAULT_MAX_BATCH)
            self._fetch(tuple(left), attempts)
