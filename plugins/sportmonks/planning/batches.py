"""Batches: the fixtures of one call to ``/fixtures/multi``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sportmonks.planning.chunks import PlannedFixture


@dataclass(frozen=True, slots=True)
class Batch:
    """Fixture ids of one call, in plan order. ``urgent``: the call may use the reserve of the call budget."""

    number: int
    fixture_ids: tuple[int, ...]
    urgent: bool


def make_batches(fixtures: Sequence[PlannedFixture], size: int) -> Iterator[Batch]:
    """Cut a plan into batches of ``size`` fixtures, urgent fixtures first; only the last batch may be smaller.

    A batch with one urgent fixture is urgent, because splitting it would cost one more call.
    """
    ordered = [f for f in fixtures if f.urgent] + [f for f in fixtures if not f.urgent]
    for start in range(0, len(ordered), size):
        part = ordered[start : start + size]
        yield Batch(start // size + 1, tuple(f.fixture_id for f in part), part[0].urgent)


def count_batches(fixtures: Sequence[PlannedFixture], size: int) -> int:
    """The number of batches that ``make_batches`` yields, which is the number of calls."""
    return math.ceil(len(fixtures) / size)
