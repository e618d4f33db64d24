"""Payloads as the sandbox would send them, and a chunk of theirs in a fresh warehouse."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.load.helpers import Chunk, Payload

MakeChunk = Callable[..., Chunk]


@pytest.fixture(scope="session")
def season_payloads() -> list[Payload]:
    """Payloads of a finished season of twelve matches with every include; do not change them."""
    from sandbox.clock import Clock, parse_time
    from sandbox.limits import Limits
    from sandbox.state import Sandbox
    from sandbox.truth import payload
    from sandbox.world import Options

    sandbox = Sandbox(
        Options(leagues=1, seasons=2, teams=4), Clock(parse_time("2026-03-01T12:00:00Z"), True), Limits(1000, 3600)
    )
    season = min(sandbox.seasons(), key=lambda found: found.id)
    return [payload(sandbox, view) for view in sandbox.season_views(season.id)]


@pytest.fixture
def payloads(season_payloads: list[Payload]) -> list[Payload]:
    """Copies to play with."""
    return copy.deepcopy(season_payloads)


@pytest.fixture
def chunk(warehouse: psycopg.Connection[Any], payloads: list[Payload]) -> Chunk:
    """The chunk of the payloads, all of them in its index."""
    found = Chunk(warehouse, payloads[0]["league_id"], payloads[0]["season_id"])
    found.index(*payloads)
    return found
