"""A client against a scripted server; sleeps are counted, not slept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sportmonks.api.budget import UnlimitedBudget
from sportmonks.api.client import SportmonksClient
from tests.harness.api_server import Handler, Server, serving

KEY = "s3cr3t-Key-0123456789abcdef"


class Naps(list[float]):
    """Stands for time.sleep: notes how long it would have slept."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def talk(naps: Naps) -> Iterator[Callable[..., tuple[SportmonksClient, Server]]]:
    """``talk(handler, **settings)`` gives a client and the server it talks to."""
    with ExitStack() as stack:

        def start(handler: Handler, **settings: Any) -> tuple[SportmonksClient, Server]:
            server = stack.enter_context(serving(handler))
            settings.setdefault("budget", UnlimitedBudget(sleep=naps))
            client = SportmonksClient(server.url, KEY, sleep=naps, **settings)
            stack.callback(client.close)
            return client, server

        yield start
