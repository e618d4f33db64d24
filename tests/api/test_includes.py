"""Learning which include was refused, from messages and over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sportmonks.api.budget import NO_ACCOUNT, CallAccount, Grant, UnlimitedBudget
from sportmonks.api.includes import ForbiddenIncludes, named_in, without
from sportmonks.errors import FatalApiError, UnknownIncludeError
from tests.api.conftest import Talk
from tests.harness.api_server import ROW, Handler, Seen, always, answer, http, in_turn

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
    assert not memory.learn("League", "odds", 5002, "no")
    assert memory.allowed("League", ("odds",)) == ("odds",)
    assert memory.allowed("Fixture", ("odds", "scores", "scores")) == ("scores",)
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
    answers = [client.get("fixtures", include=includes) for _ in range(3)]
    assert all(each.rows() and each.includes == ("scores",) for each in answers)
    # Once may be an accident: a second call requests them again.
    twice = ["scores;odds;xGFixture", "scores;xGFixture", "scores"] * 2
    assert [seen.query["include"] for seen in server.seen] == [*twice, "scores"]
    assert client.forbidden_includes == {("Fixture", "odds"), ("Fixture", "xgfixture")}
    assert [each[:3] for each in learned] == [("Fixture", "odds", 5002), ("Fixture", "xgfixture", 5002)]
    assert caplog.text.count("is left out for Fixture") == 4
    assert caplog.text.count("for this call") == 2


def test_an_include_that_is_refused_once_is_missing_in_that_call_only(talk: Talk) -> None:
    notes: list[tuple[Any, ...]] = []

    def handler(seen: Seen, sock: socket.socket) -> None:
        sock.sendall(refusal("odds") if len(server.seen) == 1 else ROW)

    client, server = talk(
        handler, on_forbidden=lambda *each: notes.append(each[:2]), on_allowed=lambda *each: notes.append(each)
    )
    found = [client.fixtures_multi([1], ("scores", "odds")) for _ in range(3)]
    assert [(each.includes, each.dropped_includes) for each in found] == [
        (("scores",), ("odds",)),
        (("scores", "odds"), ()),
        (("scores", "odds"), ()),
    ]
    assert notes == [("Fixture", "odds")] * 2  # refused, then taken
    assert client.forbidden_includes == frozenset()


def test_includes_that_were_refused_before_are_found_out_by_one_call_each(talk: Talk) -> None:
    taken: list[tuple[str, str]] = []
    client, server = talk(
        refusing(["odds"], refusal),
        suspected=[("Fixture", "odds"), ("Fixture", "lineups"), ("Fixture", "news"), ("League", "seasons")],
        on_allowed=lambda *each: taken.append(each),
    )
    client.retest_includes(("scores", "odds", "lineups.details", "lineups.player"))
    assert [(seen.path, seen.query.get("include")) for seen in server.seen] == [
        ("/v3/football/fixtures", "odds"),
        ("/v3/football/fixtures", "lineups.details;lineups.player"),
    ]
    assert taken == [("Fixture", "lineups")]


def test_the_call_for_a_refused_include_is_in_the_books_and_outlasts_a_rate_limit(talk: Talk) -> None:
    accounts: list[CallAccount] = []

    class Recording(UnlimitedBudget):
        def acquire(self, entity: str, *, urgent: bool = False, account: CallAccount = NO_ACCOUNT) -> Grant:
            accounts.append(account)
            return super().acquire(entity, urgent=urgent, account=account)

    taken: list[tuple[str, str]] = []
    client, _ = talk(
        in_turn(answer(status=429, message="Too many", retry_after=1), ROW),
        budget=Recording(sleep=lambda _: None),
        suspected=[("Fixture", "odds")],
        on_allowed=lambda *each: taken.append(each),
    )
    client.count_calls_for(CallAccount("etl_x"))
    client.retest_includes(("odds",))
    assert accounts == [CallAccount("etl_x")] * 2
    assert taken == [("Fixture", "odds")]


def test_a_batch_has_the_includes_that_all_of_its_requests_got(talk: Talk) -> None:
    def handler(seen: Seen, sock: socket.socket) -> None:
        ids = seen.path.rpartition("/")[2].split(",")
        if len(ids) > 2:
            sock.sendall(http("", 500))
        elif "1" in ids and "odds" in seen.query["include"]:
            sock.sendall(refusal("odds"))
        else:
            sock.sendall(answer([{"id": each} for each in ids]))

    client, _ = talk(handler, attempts=1)
    found = client.fixtures_multi([1, 2, 3, 4], ("scores", "odds"))
    assert (sorted(found.rows), found.includes, found.dropped_includes) == ([1, 2, 3, 4], ("scores",), ("odds",))


def test_what_was_learned_earlier_is_not_requested(talk: Talk) -> None:
    client, server = talk(always(ROW), forbidden=[("Fixture", "odds")])
    client.get("fixtures", include=("odds", "scores"))
    client.get("leagues", include=("odds",))
    assert [seen.query["include"] for seen in server.seen] == ["scores", "odds"]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_without_a_code_counts_as_one_of_the_plan(talk: Talk, status: int) -> None:
    client, _ = talk(refusing(["odds"], lambda name: answer(status=status, message=f"The include '{name}' is refused")))
    for _ in range(2):
        assert client.get("fixtures", include=("odds", "scores")).rows()
    assert client.forbidden_includes == {("Fixture", "odds")}


def no_plan_covers(code: int, words: str = "The include '{}' is refused") -> Callable[[str], bytes]:
    return lambda name: answer(status=404 if code == 5013 else 400, message=words.format(name), code=code)


@pytest.mark.parametrize(
    ("include", "code", "words"),
    [
        (
            "sores",
            5001,
            "There is no include 'sores' (code 5001: The include 'sores' is refused). Did you mean scores?",
        ),
        ("lineups.detials", 5001, "There is no include 'lineups.detials'"),
        ("foo", 5001, "Includes of a fixture: aggregate, AIOverviews, ballCoordinates,"),
        ("odds", 5000, "The include 'odds' is not offered there (code 5000:"),
        ("odds", 5013, "The include 'odds' is not offered there (code 5013:"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_an_include_that_no_plan_covers_is_an_error(
    talk: Talk, include: str, code: int, words: str, named: bool
) -> None:
    make = no_plan_covers(code) if named else no_plan_covers(code, "There is something wrong with an include")
    client, _ = talk(refusing([include], make))
    with pytest.raises(UnknownIncludeError) as caught:
        client.get("fixtures", include=(include, "participants"))
    assert (words if named else words.partition(" (code")[0]) in str(caught.value)
    if include == "lineups.detials":
        assert caught.value.hint.startswith("Did you mean lineups.details?")
    assert client.forbidden_includes == frozenset()


def test_an_include_is_believed_to_be_unknown_when_the_api_says_so_twice(talk: Talk) -> None:
    client, server = talk(in_turn(no_plan_covers(5001)("scores"), ROW))
    assert client.get("fixtures", include=("scores", "events")).rows()
    assert [seen.query["include"] for seen in server.seen] == ["scores;events"] * 2
    assert client.forbidden_includes == frozenset()


def test_includes_that_are_documented_need_no_check(talk: Talk) -> None:
    client, server = talk(refusing(["formation"], no_plan_covers(5001)))
    client.check_includes(("participants", "lineups.details.type:id,name", "xGFixture", "WEATHERREPORT"))
    assert server.seen == []
    client.check_includes(("scores", "brandNew"))
    assert [(seen.path, seen.query["include"]) for seen in server.seen] == [("/v3/football/fixtures", "brandNew")]
    with pytest.raises(UnknownIncludeError, match="Did you mean formations"):
        client.check_includes(("scores", "formation"))


def test_leagues_come_without_includes_that_the_server_does_not_know(talk: Talk) -> None:
    client, server = talk(
        refusing(["seasons", "seasons;currentSeason", "seasons;currentSeason;country"], no_plan_covers(5013))
    )
    assert client.leagues() == [{"id": 1}]
    assert "include" not in server.seen[-1].query


def test_every_include_refused_and_then_the_plain_request_is_a_bug(talk: Talk) -> None:
    client, _ = talk(always(answer(status=403, message="No access to include", code=5002)))
    with pytest.raises(FatalApiError, match="although none was requested"):
        client.get("fixtures", include=("odds", "scores"))


def test_refused_includes_without_a_name_are_found_one_by_one(talk: Talk) -> None:
    client, server = talk(
        refusing(["odds", "news"], lambda _: answer(status=403, message="No access to include", code=5002))
    )
    for number in (1, 2):
        found = client.get("fixtures", include=("odds", "scores", "news", "events"))
        assert (bool(found.rows()), found.includes) == (True, ("scores", "events"))
        assert server.seen[-1].query["include"] == "scores;events"
        assert len(server.seen) == 5 * number
    assert client.forbidden_includes == {("Fixture", "odds"), ("Fixture", "news")}


def test_an_include_refused_without_having_been_requested_is_a_bug(talk: Talk) -> None:
    client, _ = talk(always(refusal("odds")))
    with pytest.raises(FatalApiError, match="although none was requested"):
        client.get("fixtures")
