"""Batches: the fixtures of one call to /fixtures/multi. Urgent ones never share a batch with history."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


class Planned(Protocol):
    """Anything that names a fixture and says whether it may use the reserve."""

    @property
    def fixture_id(self) -> int: ...
    @property
    def urgent(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Fixture ids of one call, in plan order."""

    number: int
    fixture_ids: tuple[int, ...]
    urgent: bool


def make_batches(fixtures: Sequence[Planned], size: int) -> Iterator[Batch]:
    """Cut a plan into batches of at most ``size``, urgent ones first."""
    number = 0
    for urgent in (True, False):
        ids = [fixture.fixture_id for fixture in fixtures if fixture.urgent is urgent]
        for start in range(0, len(ids), size):
            number += 1
            yield Batch(number, tuple(ids[start : start + size]), urgent)


def count_batches(fixtures: Sequence[Planned], size: int) -> int:
    """How many calls ``make_batches`` will cost."""
    urgent = sum(1 for fixture in fixtures if fixture.urgent)
    return math.ceil(urgent / size) + math.ceil((len(fixtures) - urgent) / size)
