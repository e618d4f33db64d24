"""A client against a scripted server; its waits are recorded instead of slept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sportmonks.api.budget import UnlimitedBudget
from sportmonks.api.client import SportmonksClient
from tests.api.budget_books import Books, Conn
from tests.harness.api_server import Handler, Server, serving

KEY = "s3cr3t-Key-0123456789abcdef"


Talk = Callable[..., tuple[SportmonksClient, Server]]


class Sleeps(list[float]):
    """Replaces time.sleep: records how long it would have slept."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
def talk(sleeps: Sleeps) -> Iterator[Talk]:
    """``talk(handler, **settings)`` gives a client and the server it talks to."""
    with ExitStack() as stack:

        def start(handler: Handler, **settings: Any) -> tuple[SportmonksClient, Server]:
            server = stack.enter_context(serving(handler))
            settings.setdefault("budget", UnlimitedBudget(sleep=sleeps))
            client = SportmonksClient(server.url, KEY, sleep=sleeps, **settings)
            stack.callback(client.close)
            return client, server

        yield start


@pytest.fixture
def books(warehouse: Conn) -> Books:
    return Books(warehouse)
