"""What all played APIs hold: records of December 2025, three hours apart, and small helpers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from tests.harness.shape_server import Answer, Play, Request

FIRST = datetime(2025, 12, 1, 1, tzinfo=UTC)
COUNT = 230
NUMBERS = range(COUNT)
LOGIN, PASSWORD = "agent@example.com", "Pa55word-of-the-route"


def at(number: int) -> datetime:
    """When record ``number`` was changed."""
    return FIRST + timedelta(hours=3 * number)


def iso(number: int) -> str:
    return at(number).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(number: int) -> int:
    return int(at(number).timestamp())


def within(first: float, last: float) -> list[int]:
    """Records whose time in epoch seconds lies from ``first`` to below ``last``."""
    return [number for number in NUMBERS if first <= epoch(number) < last]


def seconds(text: str) -> float:
    """Epoch seconds of an ISO time; without an offset it is UTC."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def refuse(message: str, status: int = 400) -> Answer:
    return Answer({"message": message}, status)


@dataclass
class Shape:
    """A played API. ``start`` makes its state anew; ``name``: heading in docs/guides/routes.md; ``records``: how many
    the route has to store; ``end``: how it knows; ``prefix``: path of the base URL."""

    name: str
    start: Callable[[], Play]
    end: str
    records: int = COUNT
    prefix: str = ""
    login: str = LOGIN
    needs: Callable[[Request], str] = lambda _: ""
    extra: Mapping[str, str] = field(default_factory=dict)


def bearer(request: Request) -> str:
    """What is wrong with the authentication of a request; empty when it is right."""
    return "" if request.headers.get("Authorization") == f"Bearer {PASSWORD}" else "no bearer token"


def header(name: str, prefix: str = "") -> Callable[[Request], str]:
    return lambda request: "" if request.headers.get(name) == f"{prefix}{PASSWORD}" else f"no {name}"


def oauth(
    path: str,
    play: Callable[[Request], Answer],
    calls_per_token: int = 10**6,
    takes_json: bool = False,
    refresh_token: str = "",
) -> Play:
    """``play`` behind client credentials or a refresh token; a token ends after so many calls, whatever it promised."""
    tokens: list[str] = []
    left = [0]

    def answer(request: Request) -> Answer:
        if request.path == path:
            is_json = request.headers.get("Content-Type") == "application/json"
            form = request.json if is_json else dict(parse_qsl(request.body.decode()))
            grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
            expected = {
                **(grant if refresh_token else {"grant_type": "client_credentials"}),
                "client_id": LOGIN,
                "client_secret": PASSWORD,
            }
            if is_json is not takes_json or {name: form.get(name) for name in expected} != expected:
                return Answer({"error": "invalid_client"}, 401)
            tokens.append(f"token-number-{len(tokens)}-of-this-run")
            left[0] = calls_per_token
            return Answer({"access_token": tokens[-1], "expires_in": 3600, "token_type": "Bearer"})
        if not tokens or request.headers.get("Authorization") != f"Bearer {tokens[-1]}" or left[0] <= 0:
            return Answer({"message": "token expired"}, 401)
        left[0] -= 1
        return play(request)

    return answer
