"""A batch of fixtures by id, and what happens when one id makes its request fail.

A batch that keeps failing (5xx, broken connection, truncated answer; not a refusal) is halved until the bad id is
alone, which is then requested by itself at the endpoint of single fixtures. The good ids are returned, the bad one is
named. Before ids are held responsible the API has to prove that it
answers at all: when no request succeeds, the API is down.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from sportmonks.api.calls import CallStats
from sportmonks.api.response import ApiResponse, PackedBody, row_id
from sportmonks.errors import ConfigurationError, FatalApiError, OutsidePlanError, TransientApiError

log = logging.getLogger(__name__)

DEFAULT_MAX_BATCH = 50
# The complete batch has had its full number of attempts before.
ATTEMPTS_WHEN_SPLIT = 2
# After so many bad ids the search ends: finding the rest would cost too many calls.
MAX_POISONED = 10
# After so many in a row without one good request their season is down, and no id is responsible.
MAX_WITHOUT_ANSWER = 3

ENTITY = "Fixture"


class Get(Protocol):
    """``SportmonksClient.get``, as far as a batch needs it."""

    def __call__(
        self,
        path: str,
        *,
        include: Sequence[str] = (),
        params: dict[str, str] | None = None,
        entity: str | None = None,
        urgent: bool = False,
        attempts: int | None = None,
        stats: CallStats | None = None,
    ) -> ApiResponse: ...


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """The outcome for each requested id.

    ``rows``: unchanged JSON by fixture id. ``missing``: ids that the answer leaves out, which proves nothing, since
    the API omits fixtures now and then. ``poisoned``: id -> why its request keeps failing. ``calls``/``bytes``: HTTP
    requests, failed ones included, and the bytes of their bodies. ``includes``: those of all requests that succeeded,
    ``dropped_includes``: those that the subscription refuses. ``api_answers``: some request of this batch has
    succeeded, be it one that names no fixture. ``bodies``: what the rows are from, as it came (gzip), in the order of
    the requests; empty when any of it came otherwise.
    """

    rows: dict[int, msgspec.Raw]
    requested: tuple[int, ...]
    missing: tuple[int, ...] = ()
    poisoned: dict[int, str] = field(default_factory=dict)
    calls: int = 0
    bytes: int = 0
    dropped_includes: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    api_answers: bool = True
    bodies: tuple[PackedBody, ...] = ()


def check_ids(ids: Sequence[Any], max_batch: int) -> tuple[int, ...]:
    """The ids without repeats. Raises ConfigurationError for too many, FatalApiError for none or invalid ones."""
    requested = tuple(dict.fromkeys(ids))
    if not requested:
        raise FatalApiError("No fixture ids were given.", hint="Request at least one.")
    bad = [each for each in requested if isinstance(each, bool) or not isinstance(each, int) or each <= 0]
    if bad:
        raise FatalApiError(f"Not a fixture id: {bad[0]!r}.", hint="Ids are positive integers.")
    if len(requested) > max_batch:
        raise ConfigurationError(
            f"{len(requested)} fixture ids in one batch, the maximum is {max_batch}.",
            hint="Lower batch_size, or raise max_batch if the API takes more.",
        )
    return requested


def fetch_batch(get: Get, ids: tuple[int, ...], includes: Sequence[str], *, urgent: bool = False) -> BatchResponse:
    """The fixtures ``ids`` (see ``check_ids``) in one call, or in as many as it takes to isolate bad ids.

    Raises what ``get`` raises; TransientApiError only when every request of the batch fails.
    """
    batch = _Batch(get, includes, urgent)
    batch.fetch(ids)
    return BatchResponse(
        rows=batch.rows,
        requested=ids,
        missing=tuple(each for each in ids if each not in batch.rows and each not in batch.poisoned),
        poisoned=batch.poisoned,
        calls=batch.stats.calls,
        bytes=batch.stats.bytes,
        includes=tuple(includes) if batch.includes is None else batch.includes,
        api_answers=batch.api_answers,
        bodies=tuple(body for body in batch.bodies if body is not None) if None not in batch.bodies else (),
    )


class _Batch:
    def __init__(self, get: Get, includes: Sequence[str], urgent: bool) -> None:
        self.rows: dict[int, msgspec.Raw] = {}
        self.poisoned: dict[int, str] = {}
        self.stats = CallStats()
        self.includes: tuple[str, ...] | None = None  # None until a request succeeds
        self._get = get
        self._includes = includes
        self._urgent = urgent
        self.api_answers = False
        self.bodies: list[bytes | None] = []
        self._answered: int | None = None  # an id whose request has succeeded

    def fetch(self, ids: tuple[int, ...]) -> None:
        try:
            self._request(ids, None)
        except TransientApiError as error:
            log.warning("A batch of %d fixtures keeps failing, searching for the bad id: %s", len(ids), error)
            self._isolate(ids, error)

    def _isolate(self, ids: tuple[int, ...], error: TransientApiError) -> None:
        """``ids`` have failed together: split them until the bad ones are alone, or there are too many of them."""
        if self._answered is None and len(self.poisoned) >= MAX_WITHOUT_ANSWER:
            raise _every_part_fails(error)
        if len(self.poisoned) >= MAX_POISONED:
            reason = f"not tried alone: {MAX_POISONED} others of its batch keep failing"
            self.poisoned |= dict.fromkeys((each for each in ids if each not in self.rows), reason)
            return
        if len(ids) == 1:
            if self._answered is None and not self._api_answers_elsewhere():
                raise error
            if not self._request_by_itself(ids[0]):
                self.poisoned[ids[0]] = error.message
                log.warning("Fixture %d alone keeps failing and is left out: %s", ids[0], error)
            return
        half = (len(ids) + 1) // 2
        failed: list[tuple[tuple[int, ...], TransientApiError]] = []
        for part in (ids[:half], ids[half:]):
            try:
                self._request(part, ATTEMPTS_WHEN_SPLIT)
            except TransientApiError as part_error:
                failed.append((part, part_error))
        if len(failed) == 2 and not self._is_alive():
            raise _every_part_fails(failed[1][1])
        for bad_part, its_error in failed:
            self._isolate(bad_part, its_error)

    def _is_alive(self) -> bool:
        """Both halves have failed: whether that means two bad ids, and not that the API is down."""
        if self._answered is None:
            return self._api_answers_elsewhere()
        try:
            self._request((self._answered,), 1)
        except TransientApiError:
            return False
        return True

    def _api_answers_elsewhere(self) -> bool:
        """Without a good fixture to request, a listing that names none shows whether the API is up."""
        try:
            self._get(
                "fixtures",
                params={"per_page": "1"},
                entity=ENTITY,
                urgent=self._urgent,
                attempts=1,
                stats=self.stats,
            )
        except TransientApiError:
            return False
        self.api_answers = True
        return True

    def _request_by_itself(self, fixture_id: int) -> bool:
        """The endpoint of single fixtures, which may serve one that spoils every batch: whether it answered about it.

        An answer without the fixture leaves it missing.
        """
        try:
            response = self._get(
                f"fixtures/{fixture_id}",
                include=self._includes,
                entity=ENTITY,
                urgent=self._urgent,
                attempts=1,
                stats=self.stats,
            )
        except (TransientApiError, OutsidePlanError, FatalApiError) as error:
            log.info("Fixture %d cannot be read by itself either: %s", fixture_id, error)
            return False
        rows = response.rows()
        self._note(response)
        for row in rows:
            if row_id(row) == fixture_id:
                self.rows[fixture_id] = row
        return fixture_id in self.rows or not rows

    def _note(self, response: ApiResponse) -> None:
        """What the requests of the batch have in common, and their bodies."""
        # One of them may have been refused an include that another one got.
        common = response.includes if self.includes is None else self.includes
        self.includes = tuple(each for each in common if each in response.includes)
        self.bodies.append(response.packed)

    def _request(self, ids: tuple[int, ...], attempts: int | None) -> None:
        response = self._get(
            f"fixtures/multi/{','.join(map(str, ids))}",
            include=self._includes,
            entity=ENTITY,
            urgent=self._urgent,
            attempts=attempts,
            stats=self.stats,
        )
        left = dict.fromkeys(ids)
        strange = 0
        for row in response.rows():
            found = row_id(row)
            if found in left or found in self.rows:
                # Of a row that comes twice the later one counts.
                self.rows[found] = row
                left.pop(found, None)
            else:
                strange += 1
        if strange:
            log.warning("%d rows of a batch have no id or one that was not requested; they are ignored", strange)
        self._answered, self.api_answers = ids[0], True
        self._note(response)
        if left and len(ids) - len(left) == DEFAULT_MAX_BATCH:
            # An API that accepts more ids than it answers must not look like one that omits fixtures.
            log.warning(
                "%d fixtures requested, %d came: requesting the rest. Lower max_batch", len(ids), DEFAULT_MAX_BATCH
            )
            self._request(tuple(left), attempts)


def _every_part_fails(error: TransientApiError) -> TransientApiError:
    return TransientApiError(
        f"The API keeps failing for every part of a batch of fixtures: {error.message}", retry_after=error.retry_after
    )
