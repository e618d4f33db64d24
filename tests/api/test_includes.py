"""Learning which include was refused, from messages and over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sportmonks.api.includes import ForbiddenIncludes, named_in, without
from sportmonks.errors import FatalApiError
from tests.api.conftest import Talk
from tests.harness.api_server import ROW, Handler, Seen, always, answer

INCLUDES = ("participants", "scores", "events", "lineups.details", "xGFixture", "odds:value")


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("You do not have access to the 'odds' include", "odds"),
        ('The requested include "events" does not exist', "events"),
        ("Include 'lineups.details' is not allowed", "lineups.details"),
        ("The include `xgfixture` is not available on this endpoint", "xgfixture"),
        ("You do not have access to the 'xGFixture' include", "xgfixture"),
        ("You do not have access to the 'details' include", "lineups.details"),
        ("You do not have access to the 'lineups' include", "lineups"),
        ("odds include not part of your plan", "odds"),
        ("You do not have access to the 'predictions' include", None),
        ("The include is not allowed", None),
        ("You do not have access to the include", None),
    ],
)
def test_names_in_messages(message: str, name: str | None) -> None:
    assert named_in(message, INCLUDES) == name


@pytest.mark.parametrize(
    ("requested", "forbidden", "kept"),
    [
        (("a", "odds", "b"), "odds", ("a", "b")),
        (("a", "odds:value,label"), "odds", ("a",)),
        (("lineups.details", "a"), "lineups.details", ("lineups", "a")),
        (("lineups.details:type_id", "lineups"), "lineups.details", ("lineups",)),
        (("lineups.details.type", "lineups.player"), "lineups.details", ("lineups.player",)),
        (("lineups.details", "lineups"), "lineups", ()),
        (("Lineups.Details",), "lineups.details", ("Lineups",)),
        (("a",), "odds", ("a",)),
    ],
)
def test_leaving_one_out(requested: tuple[str, ...], forbidden: str, kept: tuple[str, ...]) -> None:
    assert without(requested, forbidden) == kept


def test_what_is_refused_on_one_entity_may_be_fine_on_another() -> None:
    learnt: list[tuple[str, str, int | None, str]] = []
    memory = ForbiddenIncludes([("Fixture", "odds")], lambda *each: learnt.append(each))
    assert memory.allowed("Fixture", ("odds", "scores", "scores")) == ("scores",)
    assert memory.allowed("League", ("odds",)) == ("odds",)
    assert memory.learn("League", "odds", 5002, "no")
    assert not memory.learn("League", "odds", 5002, "no")
    assert learnt == [("League", "odds", 5002, "no")]
    assert set(memory) == {("Fixture", "odds"), ("League", "odds")}


def refusing(refused: Iterable[str], make: Callable[[str], bytes]) -> Handler:
    """Refuses requests with one of the includes, by the answer ``make(include)``."""
    names = list(refused)

    def handler(seen: Seen, sock: socket.socket) -> None:
        requested = seen.query.get("include", "").split(";")
        for name in names:
            if name in requested:
                sock.sendall(make(name))
                return
        sock.sendall(ROW)

    return handler


def refusal(name: str) -> bytes:
    return answer(status=403, message=f"You do not have access to the '{name}' include", code=5002)


def test_a_refused_include_is_learned_dropped_and_not_requested_again(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    learned: list[tuple[Any, ...]] = []
    client, server = talk(refusing(["odds", "xGFixture"], refusal), on_forbidden=lambda *each: learned.append(each))
    includes = ("scores", "odds", "xGFixture")
    assert client.get("fixtures", include=includes).rows()
    assert client.get("fixtures", include=includes).rows()
    assert [seen.query["include"] for seen in server.seen] == [
        "scores;odds;xGFixture",
        "scores;xGFixture",
        "scores",
        "scores",
    ]
    assert client.forbidden_includes == {("Fixture", "odds"), ("Fixture", "xgfixture")}
    assert [each[:3] for each in learned] == [("Fixture", "odds", 5002), ("Fixture", "xgfixture", 5002)]
    assert caplog.text.count("is left out for Fixture") == 2


def test_what_was_learned_earlier_is_not_requested(talk: Talk) -> None:
    client, server = talk(always(ROW), forbidden=[("Fixture", "odds")])
    client.get("fixtures", include=("odds", "scores"))
    client.get("leagues", include=("odds",))
    assert [seen.query["include"] for seen in server.seen] == ["scores", "odds"]


@pytest.mark.parametrize(("status", "code"), [(403, 5000), (400, 5001), (404, 5013), (403, None)])
def test_refused_includes_in_their_other_forms(talk: Talk, status: int, code: int | None) -> None:
    def make(name: str) -> bytes:
        return answer(status=status, message=f"The include '{name}' is refused", **({"code": code} if code else {}))

    client, _ = talk(refusing(["odds"], make))
    assert client.get("fixtures", include=("odds", "scores")).rows()
    assert client.forbidden_includes == {("Fixture", "odds")}


def test_refused_includes_without_a_name_are_found_one_by_one(talk: Talk) -> None:
    client, server = talk(
        refusing(["odds", "news"], lambda _: answer(status=403, message="No access to include", code=5002))
    )
    assert client.get("fixtures", include=("odds", "scores", "news", "events")).rows()
    assert client.forbidden_includes == {("Fixture", "odds"), ("Fixture", "news")}
    assert server.seen[-1].query["include"] == "scores;events"
    assert len(server.seen) == 5


def test_an_include_refused_without_having_been_requested_is_a_bug(talk: Talk) -> None:
    client, _ = talk(always(refusal("odds")))
    with pytest.raises(FatalApiError, match="although none was requested"):
        client.get("fixtures")
