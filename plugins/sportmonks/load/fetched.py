"""The answer to one batch and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from sportmonks.load.payloads import Payload


@dataclass(frozen=True, slots=True)
class FetchedBatch:
    """The answer to one batch: payloads by fixture id, ids not returned, ids that cannot be read.

    ``includes``: what was really asked for (None = what the context says); ``at``: when the call was begun (None =
    now); ``answer_id``: where the answer is kept until it is stored; ``read``: what ``read_payloads`` makes of the
    rows, where that has been done already.
    """

    number: int
    asked: tuple[int, ...]
    rows: Mapping[int, bytes | msgspec.Raw]
    missing: tuple[int, ...] = ()
    poisoned: Mapping[int, str] = field(default_factory=dict)
    calls: int = 1
    bytes: int = 0
    seconds: float = 0.0
    includes: tuple[str, ...] | None = None
    at: datetime | None = None
    answer_id: str | None = None
    read: tuple[Mapping[int, Payload], Mapping[int, str]] | None = None


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch, fixtures by outcome."""

    number: int
    outcomes: Mapping[str, int]
    changes: int
    problems: Mapping[int, str]

    @property
    def processed(self) -> int:
        return sum(self.outcomes.values())
