"""The cost of a plan: calls, and the time until the call budget has granted them all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sportmonks.planning.batches import count_batches, make_batches
from sportmonks.planning.chunks import Chunk


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a plan will cost.

    ``chunks``: season, fixtures, calls and priority of each chunk. ``calls`` by entity. ``available_now``: calls that
    the budget grants now without its reserve. ``minutes`` until it has granted all calls. ``left_out``: due fixtures
    that each limit of the run excluded. The fields are stored as JSON with the execution.
    """

    fixtures: int
    by_reason: dict[str, int]
    chunks: list[dict[str, Any]]
    calls: dict[str, int]
    available_now: int | None
    minutes: float
    left_out: dict[str, int] = field(default_factory=dict)


def estimate_cost(
    chunks: Sequence[Chunk],
    *,
    names: Mapping[int, str],
    batch_size: int,
    remaining: int | None,
    call_limit: int,
    reserve: float,
    seconds_to_reset: float,
    window_seconds: int,
    left_out: Mapping[str, int],
) -> CostEstimate:
    """The cost of a plan at the present call budget.

    ``names``: season names by id. ``remaining``: calls left in this window, None when that is not known yet.
    ``reserve``: the fraction of ``call_limit`` that only urgent calls may use.
    """
    calls = sum(count_batches(chunk.fixtures, batch_size) for chunk in chunks)
    urgent = sum(batch.urgent for chunk in chunks for batch in make_batches(chunk.fixtures, batch_size))
    reasons: Counter[str] = Counter(f.reason for chunk in chunks for f in chunk.fixtures)
    reserved = int(call_limit * reserve)
    left = call_limit if remaining is None else remaining
    at_once = min(urgent, left)
    at_once += min(calls - urgent, max(left - at_once - reserved, 0))
    per_window = max(call_limit - reserved, 1)
    windows = math.ceil((calls - at_once) / per_window)
    seconds = calls * 1.0 if windows == 0 else seconds_to_reset + (windows - 1) * window_seconds
    return CostEstimate(
        fixtures=sum(len(chunk.fixtures) for chunk in chunks),
        by_reason=dict(reasons.most_common()),
        chunks=[
            {
                "season_id": chunk.season_id,
                "season": names.get(chunk.season_id, str(chunk.season_id)),
                "fixtures": len(chunk.fixtures),
                "calls": count_batches(chunk.fixtures, batch_size),
                "priority": chunk.priority,
            }
            for chunk in chunks
        ],
        calls={"Fixture": calls},
        available_now=max(left - reserved, 0),
        minutes=round(seconds / 60, 1),
        left_out=dict(left_out),
    )
