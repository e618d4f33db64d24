from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.environment import ChaosEnvironment
from tests.harness.server_folder import server_folder


@pytest.fixture(scope="session")
def environment() -> Iterator[ChaosEnvironment]:
    """One environment for all tests of this folder; its PostgreSQL server is killed by some of them."""
    with server_folder() as folder, ChaosEnvironment(folder) as found:
        yield found
