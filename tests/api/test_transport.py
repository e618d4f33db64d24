"""Sockets that misbehave, and secrets that must not show."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sportmonks.api.client import SportmonksClient
from sportmonks.api.transport import ResponseTooLargeError, TokenAuth, UnreachableError, clean_base_url, clean_key
from sportmonks.errors import BudgetWait, ConfigurationError, TransientApiError
from tests.api.conftest import KEY
from tests.harness.api_server import Handler, Seen, Server, always, answer, http, zipped

Talk = Callable[..., tuple[SportmonksClient, Server]]
GOOD = answer([{"id": 1}])
QUICK = {"attempts": 1, "read_timeout": 0.3, "total_timeout": 0.6}


def hang(_: Seen, sock: socket.socket) -> None:
    time.sleep(5)


def drip_body(_: Seen, sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _byte in range(100):
        sock.sendall(b" ")
        time.sleep(0.05)


def drip_unannounced(_: Seen, sock: socket.socket) -> None:
    """Closed by us in the middle, this body looks complete to an HTTP reader."""
    sock.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"data":[]}')
    for _byte in range(100):
        sock.sendall(b" ")
        time.sleep(0.05)


def drip_chunks(_: Seen, sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _byte in range(100):
        sock.sendall(b"1\r\n \r\n")
        time.sleep(0.05)


def drip_headers(_: Seen, sock: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100:
        sock.sendall(bytes([byte]))
        time.sleep(0.05)


def cut_in_body(_: Seen, sock: socket.socket) -> None:
    sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"data":[{"id"')
    sock.shutdown(socket.SHUT_RDWR)


def cut_at_once(_: Seen, sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)


def truncated(_: Seen, sock: socket.socket) -> None:
    sock.sendall(http('{"data":[{"id":1},{"id"'))


def truncated_gzip(_: Seen, sock: socket.socket) -> None:
    body = gzip.compress(json.dumps({"data": [{"id": each} for each in range(1000)]}).encode())[:-40]
    sock.sendall(http(body, headers={"Content-Encoding": "gzip"}))


def no_gzip(_: Seen, sock: socket.socket) -> None:
    sock.sendall(http(b"this is no gzip", headers={"Content-Encoding": "gzip"}))


def no_http(_: Seen, sock: socket.socket) -> None:
    sock.sendall(b"220 mail.example ESMTP\r\n\r\n")
    sock.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("handler", [drip_body, drip_unannounced, drip_chunks, drip_headers])
def test_dripping_answers_end_at_the_deadline(talk: Talk, handler: Handler) -> None:
    client, _ = talk(handler, **QUICK)
    started = time.monotonic()
    with pytest.raises(TransientApiError, match=r"not complete after 0\.6 s"):
        client.get("fixtures")
    assert time.monotonic() - started < 2


def test_a_hanging_answer_ends_at_the_read_time_out(talk: Talk) -> None:
    client, _ = talk(hang, **QUICK)
    started = time.monotonic()
    with pytest.raises(TransientApiError, match=r"no data for 0\.3 s"):
        client.get("fixtures")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("handler", [cut_in_body, cut_at_once, truncated, truncated_gzip, no_gzip, no_http])
def test_cut_and_truncated_answers_are_transient(talk: Talk, handler: Handler) -> None:
    client, server = talk(handler, attempts=3)
    with pytest.raises(TransientApiError, match="football/fixtures"):
        client.get("fixtures")
    assert len(server.seen) == 3


def test_a_slow_answer_that_ends_in_time_leaves_its_connection_usable(talk: Talk) -> None:
    client, server = talk(always(GOOD), total_timeout=0.2)
    for _ in range(3):
        assert client.get("fixtures").rows()
        time.sleep(0.15)
    assert server.connections == 1


def test_gzip_is_requested_and_read(talk: Talk) -> None:
    client, server = talk(always(zipped([{"id": 1}, {"id": 2}])))
    answered = client.get("fixtures")
    assert len(answered.rows()) == 2
    assert server.seen[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=utf-8", "application/octet-stream"])
def test_json_is_json_whatever_the_content_type_says(talk: Talk, kind: str) -> None:
    client, _ = talk(always(http('{"data":[{"id":1}]}', headers={"Content-Type": kind})))
    assert client.get("fixtures").rows()


def test_a_web_page_with_200_is_transient(talk: Talk) -> None:
    client, _ = talk(always(http("<html>maintenance</html>")), attempts=2)
    with pytest.raises(TransientApiError, match="a web page, not JSON"):
        client.get("fixtures")


@pytest.mark.parametrize("announced", [True, False])
def test_answers_over_the_size_limit_are_refused_without_a_retry(talk: Talk, announced: bool) -> None:
    body = b'{"data":[' + b" " * 3_000_000 + b"]}"
    raw = http(body) if announced else b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body

    def big(_: Seen, sock: socket.socket) -> None:
        sock.sendall(raw)
        sock.shutdown(socket.SHUT_RDWR)

    client, server = talk(big, max_bytes=2**20)
    with pytest.raises(ResponseTooLargeError, match="larger than 1 MiB"):
        client.get("fixtures")
    assert len(server.seen) == 1


@pytest.mark.parametrize(("status", "error"), [(401, ConfigurationError), (429, BudgetWait)])
def test_a_refusal_without_a_body_keeps_its_status_whatever_encoding_it_names(
    talk: Talk, status: int, error: type[Exception]
) -> None:
    client, _ = talk(always(http(b"", status=status, headers={"Content-Encoding": "gzip"})), attempts=1)
    with pytest.raises(error):
        client.get("football/leagues")


def test_a_gzip_bomb_stops_at_the_size_limit(talk: Talk) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    client, _ = talk(always(http(bomb, headers={"Content-Encoding": "gzip"})), max_bytes=2**20)
    with pytest.raises(ResponseTooLargeError):
        client.get("fixtures")


def test_redirects_are_not_followed(talk: Talk) -> None:
    client, server = talk(always(http("", 301, {"Location": "http://127.0.0.1:1/v3/elsewhere"})))
    with pytest.raises(ConfigurationError, match="SPORTMONKS_BASE_URL"):
        client.get("fixtures")
    assert len(server.seen) == 1


def test_an_unreachable_host_is_named(talk: Talk) -> None:
    client, _ = talk(always(GOOD), attempts=1)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client.transport.base_url = f"http://127.0.0.1:{port}/v3"
    with pytest.raises(UnreachableError, match="Connection refused"):
        client.get("fixtures")


def test_threads_share_one_session(talk: Talk) -> None:
    client, server = talk(always(GOOD), pool_size=4)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.get("fixtures"), range(40)))
    assert all(each.rows() for each in answers)
    assert server.connections <= 4


def test_a_cookie_is_not_kept(talk: Talk) -> None:
    client, server = talk(always(answer([{"id": 1}], headers={"Set-Cookie": "a=b"})))
    client.get("fixtures")
    client.get("fixtures")
    assert "cookie" not in server.seen[1].headers


def test_the_key_goes_into_one_header_and_nowhere_else(
    talk: Talk, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # requests would let a .netrc entry for the host replace the header.
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    caplog.set_level(logging.DEBUG)
    client, server = talk(always(http("<html>", 500)), attempts=2)
    with pytest.raises(TransientApiError) as caught:
        client.get("fixtures/multi/1,2", include=("scores",))
    assert [seen.headers["authorization"] for seen in server.seen] == [KEY, KEY]
    assert KEY not in str(server.seen[0].path) + str(server.seen[0].query)
    chain: list[BaseException | None] = [caught.value, caught.value.__cause__, caught.value.__context__]
    texts = [caplog.text, repr(client), repr(client.transport), repr(client.transport.session.auth)]
    texts += [f"{each} {each!r}" for each in chain]
    assert not [text for text in texts if KEY in text]


def test_logs_carry_the_path_with_its_ids_folded(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="sportmonks")
    client, _ = talk(always(GOOD))
    client.get("fixtures/multi/19683241,19683242")
    client.get("leagues/271")
    assert "football/fixtures/multi/{2 ids}: 200" in caplog.text
    assert "football/leagues/{id}: 200" in caplog.text
    assert "19683241" not in caplog.text.replace("urllib3", "")


@pytest.mark.parametrize("key", [None, "", "  ", "changeme", "<your_api_key>", "YOUR_API_KEY"])
def test_a_missing_or_placeholder_key_names_its_setting(key: str | None) -> None:
    with pytest.raises(ConfigurationError, match=r"SPORTMONKS_API_KEY.*connection my_conn"):
        clean_key(key, "my_conn")


@pytest.mark.parametrize("key", ["abc\ndef0123", "abc def 0123", "schlüssel0123"])
def test_a_damaged_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigurationError, match="SPORTMONKS_API_KEY") as caught:
        clean_key(key)
    assert key not in str(caught.value)
    assert clean_key(f" {KEY}\n") == KEY


def test_the_authentication_does_not_print_its_token() -> None:
    assert KEY not in repr(TokenAuth(KEY))


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("https://api.sportmonks.com/v3", "https://api.sportmonks.com/v3"),
        ("https://api.sportmonks.com/v3/", "https://api.sportmonks.com/v3"),
        ("https://api.sportmonks.com/v3/football", "https://api.sportmonks.com/v3"),
        ("https://api.sportmonks.com/v3/football/", "https://api.sportmonks.com/v3"),
        (" http://127.0.0.1:8099/v3 ", "http://127.0.0.1:8099/v3"),
        ("http://[::1]:8099/v3", "http://[::1]:8099/v3"),
        ("http://localhost:1", "http://localhost:1"),
    ],
)
def test_base_urls_in_their_usual_spellings(given: str, clean: str) -> None:
    assert clean_base_url(given) == clean


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        "api.sportmonks.com/v3",
        "ftp://x/v3",
        "https://",
        "http://x:port/v3",
        f"https://x/v3?api_token={KEY}",
        f"https://u:{KEY}@x/v3",
        f"https://x/v3#{KEY}",
    ],
)
def test_bad_base_urls_name_the_setting_and_hide_the_key(bad: str | None) -> None:
    with pytest.raises(ConfigurationError, match="SPORTMONKS_BASE_URL") as caught:
        clean_base_url(bad)
    assert KEY not in str(caught.value)


def test_no_timer_is_left_behind(talk: Talk) -> None:
    def timers() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "sportmonks-deadline"}

    # Another test may have left one in this process, by a call that did not end.
    others = timers()
    client, _ = talk(always(GOOD))
    for _ in range(5):
        client.get("fixtures")
    ours = timers() - others
    for thread in ours:
        thread.join(timeout=5)
    assert not [thread for thread in ours if thread.is_alive()]
