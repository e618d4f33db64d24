from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.ground import Ground


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A PostgreSQL of this folder's own, as it is killed now and then."""
    with Ground(tmp_path_factory.mktemp("chaos")) as found:
        yield found
