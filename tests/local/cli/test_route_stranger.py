"""APIs like none of the guide's, from their address to rows by commands alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sportmonks.errors import ConfigurationError
from tests.harness.shape_server import Answer, Play, Request, ShapeServer, playing
from tests.local.cli.strangers import COUNT, STRANGERS
from tests.routes.conftest import Collect

TOKEN = "harbour-token-of-the-stranger"
FIRST = datetime(2025, 12, 1, 2, tzinfo=UTC)
CALLS = 310  # of ships at a harbour, two hours apart


def harbour(request: Request) -> Answer:
    """Pages count from 0 (``seite``), records lie two levels deep and are named by a field within them, days are
    written as 05.12.2025, the number of pages has a name of its own, and the key goes into a header."""
    if request.headers.get("X-Hafen-Key") != TOKEN:
        return Answer({"meldung": "Kein Zugang"}, 401)
    if "von" not in request.query:
        return Answer({"meldung": "von fehlt"}, 400)
    begin, end = (datetime.strptime(request.query[name], "%d.%m.%Y").replace(tzinfo=UTC) for name in ("von", "bis"))
    found = [n for n in range(CALLS) if begin <= FIRST + timedelta(hours=2 * n) < end + timedelta(days=1)]
    size, page = int(request.query.get("anzahl", 20)), int(request.query.get("seite", 0))
    rows = [
        {
            "anlauf": {"nr": f"HH-{n:05}", "schiff": f"MS {n % 7}"},
            "ankunft": f"{FIRST + timedelta(hours=2 * n):%d.%m.%Y}",
        }
        for n in found[page * size : page * size + size]
    ]
    return Answer({"hafen": {"code": "DEHAM"}, "antwort": {"anlaeufe": rows, "seiten": -(-len(found) // size)}})


def test_from_an_address_to_rows(
    routes_etl: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    collect: Collect,
    warehouse: psycopg.Connection[Any],
) -> None:
    from sportmonks.routes.parse import load_routes

    monkeypatch.setenv("TOKEN", TOKEN)
    with playing(harbour) as server:
        address = f"{server.url}/v2/DEHAM/anlaeufe?von=01.12.2025&bis=31.12.2025&seite=0&anzahl=50"
        new = ("new", address, "--name", "hafen.anlaeufe", "--token-env", "TOKEN", "--auth", "X-Hafen-Key")
        assert routes_etl(*new) == 0
        shown = capsys.readouterr().out
        assert "./etl routes try hafen.anlaeufe" in shown
        assert routes_etl("check") == 0
        fields = {"conn_type": "http", "host": server.url, "password": TOKEN}
        monkeypatch.setenv("AIRFLOW_CONN_HAFEN_API", json.dumps(fields))
        assert routes_etl("try", "hafen.anlaeufe", "--from", "2025-12-01", "--to", "2025-12-31") == 0
        shown += capsys.readouterr().out
        (route,), problems = load_routes(tmp_path)
        summary = collect(route, server, password=TOKEN, date_from="2025-12-01", date_to="2025-12-31")
    assert not problems
    assert TOKEN not in shown + (tmp_path / "hafen_anlaeufe.yaml").read_text()
    assert (summary["inserted"], summary["failed"], summary["undated"], summary["unproven"]) == (CALLS, 0, 0, 0)
    table = "raw.client_hafen_anlaeufe_latest"
    row = warehouse.execute(f"SELECT count(*), min(reference_date), max(record_key) FROM {table}").fetchone()
    assert row == (CALLS, date(2025, 12, 1), f"HH-{CALLS - 1:05}")


@pytest.mark.parametrize("name", STRANGERS)
def test_known_strangers(
    name: str,
    routes_etl: Callable[..., int],
    play: Callable[[Play], ShapeServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    read_all: Collect,
) -> None:
    """Not a line of the file that is written has to be changed."""
    from sportmonks.routes.parse import load_routes

    stranger = STRANGERS[name]
    server = play(stranger.play())
    assert routes_etl("new", f"{server.url}{stranger.address}", "--name", name, "--auth", "none") == 0
    (route,), problems = load_routes(tmp_path)
    assert not problems
    assert route.key == ((stranger.key,),)
    monkeypatch.setenv(
        f"AIRFLOW_CONN_{route.connection.upper()}", json.dumps({"conn_type": "http", "host": server.url})
    )
    days = {"date_from": "2025-12-01", "date_to": "2025-12-31"} if stranger.period else {}
    assert routes_etl("try", name, *(["--from", "2025-12-01", "--to", "2025-12-31"] if days else [])) == 0
    sleeps: list[float] = []
    found = read_all(route, server, password="", sleeps=sleeps, **days)
    assert (found["inserted"], found["end"], found["unproven"]) == (COUNT, stranger.end, 0)
    assert len({row[stranger.key] for row in found["rows"]}) == COUNT
    waits = {"wiki.changes": [5, 5], "stack.questions": [9, 7]}
    assert [round(one) for one in sleeps] == waits.get(name, [])


def test_lists_by_day_and_a_link_to_the_next_days(
    routes_etl: Callable[..., int],
    play: Callable[[Play], ShapeServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    read_all: Collect,
) -> None:
    """As NASA's feed of near objects does it: at most seven days a request, and a link that goes on for ever."""
    from sportmonks.routes.parse import load_routes, parse_route

    def answers(request: Request) -> Answer:
        first, last = (date.fromisoformat(request.query[name]) for name in ("start_date", "end_date"))
        if last - first > timedelta(days=7):
            return Answer({"code": 400, "error_message": "The Feed date limit is only 7 Days"}, 400)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        link = f"{request.base}/feed?start_date={last}&end_date={last + (last - first)}&detailed=false"
        objects = {str(day): [{"id": f"{day}/{n}", "name": f"({n})"} for n in range(3)] for day in days}
        return Answer({"links": {"next": link}, "element_count": 3 * len(days), "near_earth_objects": objects})

    server = play(answers)
    address = f"{server.url}/feed?start_date=2025-12-01&end_date=2025-12-07"
    assert routes_etl("new", address, "--name", "nasa.neo", "--auth", "none") == 0
    monkeypatch.setenv("AIRFLOW_CONN_NASA_API", json.dumps({"conn_type": "http", "host": server.url}))
    assert routes_etl("try", "nasa.neo", "--from", "2025-12-01", "--to", "2025-12-31") == 1
    assert "The Feed date limit is only 7 Days" in capsys.readouterr().err
    file = tmp_path / "nasa_neo.yaml"
    file.write_text(file.read_text().replace("date_to: end_date}", "date_to: end_date, max_days: 7}"))
    assert routes_etl("try", "nasa.neo", "--from", "2025-12-01", "--to", "2025-12-31") == 0
    assert "tells of further pages" not in capsys.readouterr().out
    (route,), _ = load_routes(tmp_path)
    days = {"date_from": "2025-12-01", "date_to": "2025-12-31"}
    found = read_all(route, server, password="", **days)
    assert (found["inserted"], found["unproven"], found["listings"]) == (93, 0, 5)
    assert (min(found["days"]), max(found["days"])) == (date(2025, 12, 1), date(2025, 12, 31))
    endless = parse_route(file.read_text().replace("paging: none", "paging: {style: next, next: links.next}"))
    with pytest.raises(ConfigurationError, match=r"the link at links\.next leads to the days behind"):
        read_all(endless, server, password="", **days)
