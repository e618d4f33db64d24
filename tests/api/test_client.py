"""The client over real sockets: how requests are written, how listings are read, the check of access."""

from __future__ import annotations

import socket

import pytest

from sportmonks.errors import ConfigurationError
from tests.api.conftest import Talk
from tests.harness.api_server import NO_RESULT, ROW, Seen, always, answer, http


def test_a_request_is_written_as_the_api_wants_it(talk: Talk) -> None:
    client, server = talk(always(ROW), user_agent="probe/1")
    client.get("fixtures", include=("scores", "lineups.details:type_id"), filters=("populate", "fixtureSeasons:7"))
    seen = server.seen[0]
    assert seen.path == "/v3/football/fixtures"
    assert seen.query == {"include": "scores;lineups.details:type_id", "filters": "populate;fixtureSeasons:7"}
    assert seen.headers["user-agent"] == "probe/1"


def test_a_cursor_is_sent_without_the_parameters_it_excludes(talk: Talk) -> None:
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


@pytest.mark.parametrize("settings", [{"max_batch": 0}, {"attempts": 0}])
def test_settings_out_of_range_are_refused(talk: Talk, settings: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        talk(always(ROW), **settings)
