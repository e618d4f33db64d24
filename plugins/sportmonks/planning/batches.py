"""Batches: the fixtures of one call to /fixtures/multi."""

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
    """Cut a plan into batches of at most ``size``, urgent fixtures first, no batch but the last one short.

    A batch with one urgent fixture is urgent: splitting it would cost a call more.
    """
    ordered = [f for f in fixtures if f.urgent] + [f for f in fixtures if not f.urgent]
    for start in range(0, len(ordered), size):
        part = ordered[start : start + size]
        yield Batch(start // size + 1, tuple(f.fixture_id for f in part), part[0].urgent)


def count_batches(fixtures: Sequence[Planned], size: int) -> int:
    """How many calls ``make_batches`` will cost."""
    return math.ceil(len(fixtures) / size)
