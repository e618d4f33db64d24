"""Figures of HTTP requests, for metrics and for the result of an operation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One HTTP request as metrics see it. ``status`` 0 = no complete answer; ``path`` has its ids folded."""

    path: str
    entity: str
    status: int
    seconds: float
    bytes: int
    attempt: int


@dataclass(slots=True)
class CallStats:
    """Requests and bytes of one operation, failed attempts included."""

    calls: int = 0
    bytes: int = 0
