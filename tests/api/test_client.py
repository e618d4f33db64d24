"""The client against scripted answers over real sockets."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from sportmonks.api.calls import CallRecord
from sportmonks.api.client import SportmonksClient, entity_of, full_path, shape
from sportmonks.errors import (
    BudgetWait,
    CircuitOpen,
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    TransientApiError,
)
from tests.api.conftest import Naps
from tests.harness.api_server import Handler, Seen, Server, always, answer, http

Talk = Callable[..., tuple[SportmonksClient, Server]]

NO_RESULT = answer(message="No result(s) found matching your request.", rate_limit={"remaining": 3}, timezone="UTC")
ROW = answer([{"id": 1}])


def in_turn(*raws: bytes) -> Handler:
    """Each request gets the next answer, the last one stays."""
    left = list(raws)

    def handler(_: Seen, sock: socket.socket) -> None:
        sock.sendall(left.pop(0) if len(left) > 1 else left[0])

    return handler


def refusing(refused: Iterable[str], make: Callable[[str], bytes]) -> Handler:
    """Refuses requests with one of the includes, by the answer ``make(include)``."""
    names = list(refused)

    def handler(seen: Seen, sock: socket.socket) -> None:
        asked = seen.query.get("include", "").split(";")
        for name in names:
            if name in asked:
                sock.sendall(make(name))
                return
        sock.sendall(ROW)

    return handler


def refusal(name: str) -> bytes:
    return answer(status=403, message=f"You do not have access to the '{name}' include", code=5002)


def test_a_request_is_written_as_the_api_wants_it(talk: Talk) -> None:
    client, server = talk(always(ROW), user_agent="probe/1")
    client.get("fixtures", include=("scores", "lineups.details:type_id"), filters=("populate", "fixtureSeasons:7"))
    seen = server.seen[0]
    assert seen.path == "/v3/football/fixtures"
    assert seen.query == {"include": "scores;lineups.details:type_id", "filters": "populate;fixtureSeasons:7"}
    assert seen.headers["user-agent"] == "probe/1"


@pytest.mark.parametrize(
    ("path", "full", "entity"),
    [
        ("fixtures", "football/fixtures", "Fixture"),
        ("/football/fixtures/multi/1,2", "football/fixtures/multi/1,2", "Fixture"),
        ("livescores/inplay", "football/livescores/inplay", "Fixture"),
        ("schedules/seasons/1", "football/schedules/seasons/1", "Stage"),
        ("leagues", "football/leagues", "League"),
        ("teams/seasons/1", "football/teams/seasons/1", "Team"),
        ("my/leagues", "my/leagues", "League"),
        ("my/usage", "my/usage", "Resource"),
        ("core/types", "core/types", "Type"),
        ("core/countries", "core/countries", "Country"),
        ("standings/seasons/1", "football/standings/seasons/1", "Standing"),
        ("top-scorers", "football/top-scorers", "TopScorer"),
        ("", "football/", "Resource"),
    ],
)
def test_paths_and_their_buckets(path: str, full: str, entity: str) -> None:
    assert full_path(path) == full
    assert entity_of(path) == entity


def test_ids_are_folded_in_shapes() -> None:
    assert shape("football/fixtures/multi/1,22,333") == "football/fixtures/multi/{3 ids}"
    assert shape("football/squads/seasons/7/teams/8") == "football/squads/seasons/{id}/teams/{id}"
    assert shape("football/fixtures/between/2026-01-01/2026-02-01") == (
        "football/fixtures/between/2026-01-01/2026-02-01"
    )


def test_transient_faults_are_retried_with_growing_waits(talk: Talk, naps: Naps) -> None:
    client, server = talk(in_turn(http("oops", 500), http("", 502), http("<html>", 200), ROW))
    assert client.get("fixtures").rows()
    assert len(server.seen) == 4
    assert len(naps) == 3
    assert 0.5 <= naps[0] <= 1 <= naps[1] <= 2 <= naps[2] <= 4


def test_exhausted_retries_raise_what_was_seen_last(talk: Talk) -> None:
    client, server = talk(always(http("", 503)), attempts=3)
    with pytest.raises(TransientApiError, match="football/fixtures: HTTP 503, the answer is empty"):
        client.get("fixtures")
    assert len(server.seen) == 3


def test_a_long_retry_after_of_a_5xx_is_a_wait_outside_the_worker(talk: Talk, naps: Naps) -> None:
    client, server = talk(always(http("", 503, {"Retry-After": "600"})))
    with pytest.raises(CircuitOpen, match="HTTP 503") as caught:
        client.get("fixtures")
    assert caught.value.seconds == 600
    assert 595 < (caught.value.until - datetime.now(UTC)).total_seconds() <= 600
    assert (len(server.seen), naps) == (1, [])


def test_a_short_retry_after_of_a_5xx_is_waited_for(talk: Talk, naps: Naps) -> None:
    client, server = talk(in_turn(http("", 503, {"Retry-After": "7"}), ROW))
    assert client.get("fixtures").rows()
    assert (len(server.seen), naps) == (2, [7.0])


@pytest.mark.parametrize(
    ("raw", "error", "words"),
    [
        (answer(status=401, message="Unauthenticated."), ConfigurationError, "SPORTMONKS_API_KEY"),
        (answer(status=403, message="No access to this resource"), OutsidePlanError, "subscription"),
        (answer(status=403, message="x", code=5007), OutsidePlanError, "code 5007"),
        (answer(status=404, message="The requested endpoint does not exist"), FatalApiError, "SPORTMONKS_BASE_URL"),
        (
            answer(status=400, message="The given data was invalid.", errors={"filters": ["Bad."]}),
            FatalApiError,
            "Bad.",
        ),
        (answer(status=400, message="per_page is not allowed with cursor", code=5006), FatalApiError, "code 5006"),
        (http("<html>not here", 404), FatalApiError, "a web page"),
    ],
)
def test_refusals_are_not_retried(talk: Talk, raw: bytes, error: type[Exception], words: str) -> None:
    client, server = talk(always(raw))
    with pytest.raises(error, match=words):
        client.get("fixtures/1")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "raw",
    [
        NO_RESULT,
        answer([], message="No result(s) found matching your request."),
        answer([]),
        answer(status=404, message="No result(s) found matching your request."),
        answer(status=404, message="Not found."),
    ],
)
def test_no_result_is_an_answer(talk: Talk, raw: bytes) -> None:
    client, server = talk(always(raw))
    assert client.get("fixtures/1").no_result
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("raw", "wait"),
    [
        (answer(status=429, message="Too Many Attempts.", headers={"Retry-After": "7"}), 7),
        (answer(status=429, error="Too Many Requests", message="Rate limit exceeded.", retry_after=9), 9),
        (answer(status=429, message="Too Many Attempts."), 1),
        (http("slow down", 429, {"Retry-After": "3"}), 3),
        (answer(status=200, message="You have reached your rate limit", code=5005, retry_after=4), 4),
    ],
)
def test_429_waits_as_long_as_it_is_told(talk: Talk, naps: Naps, raw: bytes, wait: float) -> None:
    client, server = talk(in_turn(raw, ROW))
    client.budget.acquire("Fixture")

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if seconds > 0:
            client.budget._blocked_until.clear()  # type: ignore[attr-defined]

    client.budget._waiting._sleep = nap  # type: ignore[attr-defined]
    assert client.get("fixtures").rows()
    assert len(server.seen) == 2
    slept = max(naps)
    assert wait * 0.45 <= slept <= wait * 1.15


def test_a_429_that_asks_for_more_than_half_a_minute_is_raised_as_a_wait(talk: Talk) -> None:
    client, server = talk(always(answer(status=429, message="You have reached your rate limit", retry_after=1847)))
    with pytest.raises(BudgetWait) as caught:
        client.get("fixtures")
    assert 1800 < caught.value.seconds <= 1847
    assert len(server.seen) == 1


def test_429_without_end_is_a_wait_outside_the_worker(talk: Talk) -> None:
    client, server = talk(always(answer(status=429, message="Too Many Attempts.", retry_after=0)), attempts=3)
    with pytest.raises(BudgetWait, match="Too Many Attempts") as caught:
        client.get("fixtures")
    assert (caught.value.entity, caught.value.seconds) == ("Fixture", 30)
    assert not isinstance(caught.value, CircuitOpen)
    assert len(server.seen) == 3


def test_a_refused_include_is_learnt_dropped_and_not_asked_again(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    learnt: list[tuple[Any, ...]] = []
    client, server = talk(refusing(["odds", "xGFixture"], refusal), on_forbidden=lambda *each: learnt.append(each))
    asked = ("scores", "odds", "xGFixture")
    assert client.get("fixtures", include=asked).rows()
    assert client.get("fixtures", include=asked).rows()
    assert [seen.query["include"] for seen in server.seen] == [
        "scores;odds;xGFixture",
        "scores;xGFixture",
        "scores",
        "scores",
    ]
    assert client.forbidden_includes == {("Fixture", "odds"), ("Fixture", "xgfixture")}
    assert [each[:3] for each in learnt] == [("Fixture", "odds", 5002), ("Fixture", "xgfixture", 5002)]
    assert caplog.text.count("is left out for Fixture") == 2


def test_what_was_learnt_earlier_is_not_asked(talk: Talk) -> None:
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


def test_an_include_refused_without_having_been_asked_is_a_bug(talk: Talk) -> None:
    client, _ = talk(always(refusal("odds")))
    with pytest.raises(FatalApiError, match="although none was asked"):
        client.get("fixtures")


def pages(*bodies: bytes) -> Handler:
    """By the ``page`` asked for; each page's answers in turn when there are several in a tuple."""

    def handler(seen: Seen, sock: socket.socket) -> None:
        sock.sendall(bodies[int(seen.query.get("page", "1")) - 1])

    return handler


def numbered(ids: Iterable[int], number: int, more: bool) -> bytes:
    rows = [{"id": each, "league_id": "8", "venue_id": "", "name": "x"} for each in ids]
    return answer(rows, pagination={"count": len(rows), "per_page": 1000, "current_page": number, "has_more": more})


def test_the_index_of_a_season(talk: Talk) -> None:
    client, server = talk(pages(numbered([1, 2], 1, True), numbered([3], 2, False)))
    found = list(client.season_index(23026))
    assert [[row["id"] for row in page] for page in found] == [[1, 2], [3]]
    assert found[0][0] == {"id": 1, "league_id": 8, "venue_id": None, "name": "x"}
    assert server.seen[0].query == {"filters": "populate;fixtureSeasons:23026", "per_page": "1000"}
    assert server.seen[1].query["page"] == "2"


def test_an_index_that_breaks_off_with_no_result_is_read_again(talk: Talk, naps: Naps) -> None:
    client, server = talk(in_turn(numbered([1], 1, True), NO_RESULT, numbered([2], 2, False)))
    assert [row["id"] for page in client.season_index(1) for row in page] == [1, 2]
    assert len(server.seen) == 3
    assert len(naps) == 1


def test_an_index_that_stays_contradictory_is_an_error_not_a_short_list(talk: Talk) -> None:
    client, _ = talk(in_turn(numbered([1], 1, True), NO_RESULT))
    with pytest.raises(TransientApiError, match="page 2 is empty although page 1 promised more"):
        list(client.season_index(1))


def test_a_season_without_fixtures_is_no_page(talk: Talk) -> None:
    client, _ = talk(always(NO_RESULT))
    assert list(client.season_index(1)) == []


def test_rows_without_an_id_are_left_out_and_reported(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    client, _ = talk(always(answer([{"id": 1}, {"name": "?"}, "x", {"id": ""}])))
    assert client.states() == [{"id": 1}]
    assert "3 rows without an id" in caplog.text


def test_cursors_go_alone(talk: Talk) -> None:
    def handler(seen: Seen, sock: socket.socket) -> None:
        if "cursor" not in seen.query:
            more = {"has_more": True, "next_cursor": "https://x/v3/football/fixtures?cursor=abc"}
            sock.sendall(answer([{"id": 1}], pagination=more))
        elif {"per_page", "page", "order"} & seen.query.keys():
            sock.sendall(answer(status=400, message="per_page is not allowed with cursor"))
        else:
            sock.sendall(answer([{"id": 2}], pagination={"has_more": False}))

    client, server = talk(handler)
    params = {"per_page": "50", "order": "asc"}
    found = [row["id"] for page in client.iterate("fixtures", params=params, cursor=True) for row in page.objects()]
    assert found == [1, 2]
    assert server.seen[1].query == {"cursor": "abc"}


@pytest.mark.parametrize(
    ("call", "path", "query"),
    [
        (lambda c: c.states(), "football/states", {"per_page": "50"}),
        (lambda c: c.types(), "core/types", {"per_page": "50"}),
        (lambda c: c.countries(), "core/countries", {"per_page": "50"}),
        (lambda c: c.my_leagues(), "my/leagues", {"per_page": "50"}),
        (lambda c: c.leagues(), "football/leagues", {"include": "seasons;currentSeason", "per_page": "50"}),
        (lambda c: c.leagues([1]), "football/leagues/1", {"include": "seasons;currentSeason"}),
        (lambda c: c.teams(7), "football/teams/seasons/7", {"per_page": "50"}),
        (lambda c: c.venues(7), "football/venues/seasons/7", {"per_page": "50"}),
        (lambda c: c.stages(7), "football/stages/seasons/7", {"per_page": "50"}),
        (lambda c: c.rounds(7), "football/rounds/seasons/7", {"per_page": "50"}),
        (lambda c: c.schedule(7), "football/schedules/seasons/7", {}),
        (
            lambda c: c.deleted_fixtures(7),
            "football/fixtures",
            {"filters": "deleted;fixtureSeasons:7", "per_page": "50"},
        ),
        (
            lambda c: [row for page in c.season_fixtures(7, ("scores",)) for row in page],
            "football/fixtures",
            {"filters": "fixtureSeasons:7", "include": "scores", "per_page": "50"},
        ),
    ],
)
def test_listings_by_name(talk: Talk, call: Callable[[SportmonksClient], Any], path: str, query: Any) -> None:
    client, server = talk(always(ROW))
    assert call(client) == [{"id": 1}]
    assert (server.seen[0].path, server.seen[0].query) == (f"/v3/{path}", query)


def test_a_server_that_does_not_know_the_filter_of_deletions_has_deleted_nothing(talk: Talk) -> None:
    rows = [{"id": 1, "state_id": 5}, {"id": 2, "state_id": "20"}, {"id": 3}, {"id": 4, "state_id": 1}]
    client, _ = talk(always(answer(rows)))
    assert [row["id"] for row in client.deleted_fixtures(7)] == [2, 3]


def test_leagues_outside_the_plan_or_unknown_are_left_out(talk: Talk) -> None:
    def handler(seen: Seen, sock: socket.socket) -> None:
        league = seen.path.rpartition("/")[2]
        if league == "8":
            sock.sendall(answer({"id": 8, "name": "Premier League"}))
        elif league == "9":
            sock.sendall(answer(status=403, message="No access", code=5007))
        else:
            sock.sendall(NO_RESULT)

    client, _ = talk(handler)
    assert [league["id"] for league in client.leagues([8, 9, 10])] == [8]


def test_many_leagues_are_asked_for_as_a_list(talk: Talk) -> None:
    client, server = talk(always(answer([{"id": each} for each in range(1, 21)])))
    assert [league["id"] for league in client.leagues(range(3, 10))] == list(range(3, 10))
    assert len(server.seen) == 1


def test_seasons_come_with_their_league(talk: Talk) -> None:
    league = {"id": 8, "seasons": [{"id": "1", "league_id": 8}, {"name": "?"}, {"id": 2, "league_id": 8}]}
    client, server = talk(always(answer(league)))
    assert [season["id"] for season in client.seasons(8)] == [1, 2]
    assert (server.seen[0].path, server.seen[0].query) == ("/v3/football/leagues/8", {"include": "seasons"})
    client, _ = talk(always(NO_RESULT))
    assert client.seasons(8) == []


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (answer(status=401, message="Unauthenticated."), "SPORTMONKS_API_KEY"),
        (http("<html>welcome", 200), "web page.*SPORTMONKS_BASE_URL"),
        (http("<html>nothing", 404), "not the Sportmonks API.*SPORTMONKS_BASE_URL"),
        (answer(status=404, message="The requested endpoint does not exist"), "SPORTMONKS_BASE_URL.*ends in /v3"),
        (http("", 301, {"Location": "https://x/"}), "SPORTMONKS_BASE_URL"),
        (http("", 503), "does not answer.*SPORTMONKS_BASE_URL"),
        (http("", 503, {"Retry-After": "600"}), "does not answer.*HTTP 503.*SPORTMONKS_BASE_URL"),
    ],
)
def test_the_access_check_names_the_setting(talk: Talk, raw: bytes, words: str) -> None:
    client, server = talk(always(raw))
    with pytest.raises(ConfigurationError, match=words):
        client.check_access()
    assert len(server.seen) <= 2


@pytest.mark.parametrize(
    "raw",
    [
        ROW,
        NO_RESULT,
        answer(status=403, message="No access to this", code=5007),
        answer(status=429, message="You have reached your rate limit", retry_after=1847),
    ],
)
def test_the_access_check_passes_whatever_the_plan_covers(talk: Talk, raw: bytes) -> None:
    client, _ = talk(always(raw))
    client.check_access()


def test_the_access_check_of_an_unreachable_host_names_the_address(talk: Talk) -> None:
    client, _ = talk(always(ROW))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client.transport.base_url = f"http://127.0.0.1:{port}/v3"
    with pytest.raises(ConfigurationError, match=rf"http://127\.0\.0\.1:{port}/v3.*SPORTMONKS_BASE_URL"):
        client.check_access()


def test_every_request_is_recorded(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    records: list[CallRecord] = []
    client, _ = talk(in_turn(http("", 500), ROW), on_call=records.append)
    client.get("fixtures/7")
    assert [(r.path, r.entity, r.status, r.attempt) for r in records] == [
        ("football/fixtures/{id}", "Fixture", 500, 1),
        ("football/fixtures/{id}", "Fixture", 200, 2),
    ]
    assert records[1].bytes > 0
    assert records[1].seconds > 0


def test_a_broken_metrics_callback_does_not_fail_the_call(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: CallRecord) -> None:
        raise RuntimeError("no table")

    caplog.set_level(logging.ERROR)
    client, _ = talk(always(ROW), on_call=broken)
    assert client.get("fixtures").rows()
    assert "metrics callback failed" in caplog.text


@pytest.mark.parametrize("settings", [{"max_batch": 0}, {"attempts": 0}])
def test_nonsense_dials_are_refused(talk: Talk, settings: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        talk(always(ROW), **settings)
