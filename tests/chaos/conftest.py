from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.environment import ChaosEnvironment


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosEnvironment]:
    """One environment for all tests of this folder; its PostgreSQL server is killed by some of them."""
    with ChaosEnvironment(tmp_path_factory.mktemp("chaos")) as found:
        yield found
