"""The page over a seeded warehouse, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.harness.dashboard_seed import seeded  # noqa: F401 (a fixture)
from tests.harness.dashboard_server import serving, stand_in_access


@pytest.fixture
def address(warehouse_dsn: str) -> Iterator[str]:
    with serving(warehouse_dsn, stand_in_access()) as found:
        yield found


class Client:
    """Logged in by cookie, as a browser is, or as somebody else."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, *, user: str = "admin", expect: int = 200, **params: Any) -> Any:
        headers = {"Cookie": f"_token={user}"} if user else {}
        answer = requests.get(f"{self.address}/{path}", params=params, headers=headers, timeout=10)
        assert answer.status_code == expect, (path, answer.status_code, answer.text[:300])
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer

    def post(self, path: str, **headers: str) -> requests.Response:
        return requests.post(f"{self.address}/{path}", headers=headers, timeout=10)


@pytest.fixture
def client(address: str) -> Client:
    return Client(address)
