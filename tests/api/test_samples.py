"""Every real answer of the provider is understood. Skipped where the samples are not at hand."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sportmonks.api.client import SportmonksClient
from sportmonks.api.response import RateLimit
from sportmonks.errors import BudgetWait, ConfigurationError, FatalApiError
from tests.harness.api_server import Seen, Server, always, http

Talk = Callable[..., tuple[SportmonksClient, Server]]


def test_every_good_sample_is_understood(talk: Talk, samples: Path) -> None:
    files = sorted(samples.glob("20*.json"))
    assert files
    for file in files:
        body = file.read_bytes()
        client, _ = talk(always(http(body)))
        answer = client.get("fixtures")
        envelope: dict[str, Any] = msgspec.json.decode(body)
        data = envelope.get("data") or []
        rows = data if isinstance(data, list) else [data]
        assert answer.objects() == rows, file.name
        assert answer.no_result == (not rows), file.name
        reported = envelope["rate_limit"]
        assert answer.rate_limit == RateLimit(
            reported["remaining"], reported["resets_in_seconds"], reported["requested_entity"]
        ), file.name
        if "pagination" in envelope:
            assert answer.pagination is not None
            assert answer.pagination.has_more == envelope["pagination"]["has_more"], file.name


@pytest.mark.parametrize(
    ("name", "status", "error", "words"),
    [
        ("error_400_documented", 400, FatalApiError, "The filters format is invalid"),
        ("error_401", 401, ConfigurationError, "SPORTMONKS_API_KEY"),
        ("error_403_include", 403, FatalApiError, "odds"),
        ("error_429_documented", 429, BudgetWait, "the API requires a wait"),
    ],
)
def test_every_error_sample_is_understood(
    talk: Talk, samples: Path, name: str, status: int, error: type[Exception], words: str
) -> None:
    client, _ = talk(always(http((samples / f"{name}.json").read_bytes(), status)))
    with pytest.raises(error, match=words):
        client.get("fixtures")


def test_the_refused_include_of_the_sample_is_dropped(talk: Talk, samples: Path) -> None:
    refusal = http((samples / "error_403_include.json").read_bytes(), 403)

    def handler(seen: Seen, sock: socket.socket) -> None:
        sock.sendall(refusal if "odds" in seen.query.get("include", "") else http('{"data":[{"id":1}]}'))

    client, _ = talk(handler)
    assert client.fixtures_multi([1], ("odds", "scores")).dropped_includes == ("odds",)


def test_the_429_of_the_sample_names_no_time_and_is_retried(talk: Talk, samples: Path) -> None:
    limited = http((samples / "error_429.json").read_bytes(), 429)
    answers = [limited, limited]

    def handler(_: Seen, sock: socket.socket) -> None:
        sock.sendall(answers.pop() if answers else http('{"data":[{"id":1}]}'))

    client, server = talk(handler)
    client.budget._waiting._sleep = lambda _: client.budget._blocked_until.clear()  # type: ignore[attr-defined]
    assert client.get("fixtures").rows()
    assert len(server.seen) == 3


def test_the_complete_fixture_keeps_every_byte(talk: Talk, samples: Path) -> None:
    body = (samples / "2026_fixture_with_includes.json").read_bytes()
    client, _ = talk(always(http(body)))
    answer = client.get("fixtures/19683241")
    (row,) = answer.rows()
    assert bytes(row) in body
    assert msgspec.json.decode(row) == msgspec.json.decode(body)["data"]
