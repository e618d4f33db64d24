"""One local stack for all tests that do not kill its processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.monitoring import LATE, channels, failing_leagues  # noqa: F401 (fixtures of the tests of monitoring)
from tests.e2e.stack import Etl, running_stack

SANDBOX = "--leagues 7 --seasons 3 --teams 6"


@pytest.fixture(scope="session")
def etl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etl]:
    """The stack that these tests share."""
    leagues = "".join(f"  - {{id: {league}, deadline_minutes: 1}}\n" for league in LATE.values())
    catalog = {
        # A failing group must fail in seconds here, not after two retries a minute apart.
        r"retries: \d+": "retries: 0",
        "leagues: all": f"leagues:\n  - 8\n  - 564\n  - 384\n  - 82\n{leagues}",
    }
    with running_stack(tmp_path_factory.mktemp("etl"), SANDBOX, catalog) as stack:
        yield stack
