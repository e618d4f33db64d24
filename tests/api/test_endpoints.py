"""The listings by name, against scripted answers over real sockets."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sportmonks.api.client import SportmonksClient
from sportmonks.api.endpoints import Endpoints
from sportmonks.errors import TransientApiError
from tests.api.conftest import Sleeps, Talk
from tests.harness.api_server import NO_RESULT, ROW, Handler, Seen, always, answer, http, in_turn


def pages(*bodies: bytes) -> Handler:
    """The answer of the requested ``page``."""

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


def test_an_index_that_breaks_off_with_no_result_is_read_again(talk: Talk, sleeps: Sleeps) -> None:
    client, server = talk(in_turn(numbered([1], 1, True), NO_RESULT, numbered([2], 2, False)))
    assert [row["id"] for page in client.season_index(1) for row in page] == [1, 2]
    assert len(server.seen) == 3
    assert len(sleeps) == 1


def test_an_index_that_stays_contradictory_is_an_error_not_a_short_list(talk: Talk) -> None:
    client, _ = talk(in_turn(numbered([1], 1, True), NO_RESULT))
    with pytest.raises(TransientApiError, match="page 2 is empty although page 1 promised more"):
        list(client.season_index(1))


def test_a_page_with_fewer_rows_than_it_counts_is_requested_once_more(talk: Talk) -> None:
    part = answer([{"id": 1}], pagination={"count": 2, "per_page": 1000, "current_page": 1, "has_more": False})
    client, server = talk(in_turn(part, numbered([1, 2], 1, False)))
    assert [row["id"] for page in client.season_index(1) for row in page] == [1, 2]
    client, server = talk(always(part))
    left_out: list[int] = []
    assert [row["id"] for page in client.season_index(1, on_left_out=left_out.append) for row in page] == [1]
    assert (left_out, len(server.seen)) == ([1], 2)


def test_a_count_that_is_that_of_the_listing_is_no_count_of_the_page(talk: Talk) -> None:
    last = answer([{"id": 1}], pagination={"count": 51, "per_page": 50, "current_page": 1, "has_more": False})
    client, server = talk(always(last))
    assert [len(page) for page in client.season_index(1)] == [1]
    assert len(server.seen) == 1


def test_a_season_without_fixtures_is_no_page(talk: Talk) -> None:
    client, _ = talk(always(NO_RESULT))
    assert list(client.season_index(1)) == []


def test_rows_without_an_id_are_left_out_and_reported(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    client, _ = talk(always(answer([{"id": 1}, {"name": "?"}, "x", {"id": ""}])))
    assert client.states() == [{"id": 1}]
    assert "3 rows without an id" in caplog.text


@pytest.mark.parametrize(
    ("call", "path", "query"),
    [
        (lambda c: c.states(), "football/states", {"per_page": "50"}),
        (lambda c: c.types(), "core/types", {"per_page": "50"}),
        (lambda c: c.countries(), "core/countries", {"per_page": "50"}),
        (lambda c: c.my_leagues(), "my/leagues", {"per_page": "50"}),
        (lambda c: c.leagues(), "football/leagues", {"include": "seasons;currentSeason;country", "per_page": "50"}),
        (lambda c: c.leagues([1]), "football/leagues/1", {"include": "seasons;currentSeason;country"}),
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
def test_listings_by_name(
    talk: Talk, call: Callable[[SportmonksClient | Endpoints], Any], path: str, query: Any
) -> None:
    client, server = talk(always(ROW))
    assert call(client) == [{"id": 1}]
    assert (server.seen[0].path, server.seen[0].query) == (f"/v3/{path}", query)
    # The client's methods are those of its endpoints, which read through any client.
    assert call(Endpoints(client)) == [{"id": 1}]
    assert (server.seen[-1].path, server.seen[-1].query) == (f"/v3/{path}", query)


def test_the_client_has_every_listing() -> None:
    listings = {name for name in vars(Endpoints) if not name.startswith("_")}
    assert listings <= vars(SportmonksClient).keys()
    for name in listings:
        assert inspect.signature(getattr(SportmonksClient, name)) == inspect.signature(getattr(Endpoints, name)), name


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


def test_many_leagues_are_requested_as_a_list(talk: Talk) -> None:
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


def test_seasons_of_other_leagues_are_left_out(talk: Talk) -> None:
    """Or the league's DAG would have a group for them for ever."""
    mixed = {"id": 8, "seasons": [{"id": 1, "league_id": 8}, {"id": 2, "league_id": 9}, {"id": 3}]}
    client, _ = talk(always(answer(mixed)))
    assert [season["id"] for season in client.seasons(8)] == [1, 3]
    assert [[season["id"] for season in league["seasons"]] for league in client.leagues([8])] == [[1, 3]]
    client, server = talk(always(answer({"id": 9, "seasons": [{"id": 2}]})))
    assert client.seasons(8) == []
    assert [request.path for request in server.seen] == ["/v3/football/leagues/8", "/v3/football/seasons"]


def test_nested_seasons_may_be_an_object_of_rows(talk: Talk) -> None:
    seasons = {
        "0": {"id": 1, "league_id": 8, "name": "2024\x00"},
        "3": {"id": "2", "league_id": 8},
        "4": None,
        "5": {"id": ""},
    }
    client, _ = talk(always(answer({"id": 8, "name": "A", "seasons": seasons})))
    assert client.seasons(8) == [{"id": 1, "league_id": 8, "name": "2024"}, {"id": 2, "league_id": 8}]
    assert [league["seasons"] for league in client.leagues([8])] == [client.seasons(8)]


def test_an_odd_row_of_an_index_costs_its_value_only(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    deep = b"[" * 5000 + b"]" * 5000
    body = b'{"data": {"0": {"id": 1, "name": "1\\ud83d"}, "2": {"id": 2, "name": NaN}, "3": {"name": "?"}, '
    body += b'"4": {"id": 4, "x": ' + deep + b'}, "7": {"id": 5, "name": "M\xfcnchen"}}}'
    client, _ = talk(always(http(body)))
    left_out: list[int] = []
    assert list(client.season_index(7, on_left_out=left_out.append)) == [
        [{"id": 1, "name": "1\ufffd"}, {"id": 2, "name": None}, {"id": 5, "name": "M\ufffdnchen"}]
    ]
    assert "1 rows without an id" in caplog.text
    assert "1 rows cannot be read; row 4" in caplog.text
    assert left_out == [2]
    assert "row 2 (id 2): NaN or Infinity" in caplog.text
