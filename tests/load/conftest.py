"""Payloads as the sandbox would send them, and a chunk of theirs in a fresh warehouse."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.harness import payloads as harness
from tests.load.helpers import Chunk, Payload

MakeChunk = Callable[..., Chunk]
season_payloads = harness.season_payloads


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
