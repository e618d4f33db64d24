"""The payloads of a season, and their chunk in a fresh warehouse."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.harness.load import ChunkHarness, FixtureJson
from tests.harness.payloads import season_payloads


@pytest.fixture
def payloads() -> list[FixtureJson]:
    """Payloads of a finished season of twelve matches, which the test may change."""
    return season_payloads()


@pytest.fixture
def chunk(warehouse: psycopg.Connection[Any], payloads: list[FixtureJson]) -> ChunkHarness:
    """The chunk of the payloads, all of them in its index."""
    found = ChunkHarness(warehouse, payloads[0]["league_id"], payloads[0]["season_id"])
    found.index(*payloads)
    return found


@pytest.fixture
def rich(chunk: ChunkHarness, payloads: list[FixtureJson]) -> FixtureJson:
    """The payload with the most events of the season; it is stored already."""
    one = max(payloads, key=lambda payload: len(payload["events"]))
    chunk.store(one)
    return one
