"""The plan of a run: an upgrade must not change its hash, or interrupted runs would start from their beginning."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest

from sportmonks.errors import TransientApiError
from sportmonks.routes.extract import RouteRequest, make_plan
from sportmonks.routes.parse import load_routes
from sportmonks.routes.spec import Route
from tests.harness.rest_server import RestServer
from tests.harness.routes import make_route
from tests.routes.conftest import STYLES, Run

SHIPPED = {route.route: route for route in load_routes()[0]}
# As version 0.1 computed them.
HASHES = {
    "page": "c232ba9420fb515f",
    "page, by total": "63d8327b5be450ff",
    "page, by the short page": "acab2d36cdfc76df",
    "offset": "2ec3cada6008fdd2",
    "offset, by the short page": "30efb3b5b760eb3d",
    "cursor": "2acfb3a90ffd84d3",
    "next": "273f9df7c218e8b5",
    "link header": "d7819e46c8d4faed",
    "none": "ed243718d7400dec",
    "livescores": "a6d7d7a8d5e23a47",
    "squads": "c03ade6dd555b4b7",
    "standings": "9f3efacedef27db6",
    "topscorers": "53853e1bd7ab08f6",
}


def known(name: str) -> tuple[Route, dict[str, int]]:
    if name in STYLES:
        return make_route(STYLES[name]), {}
    return SHIPPED[name], {"season_id": 1, "team_id": 2}


@pytest.mark.parametrize("name", HASHES)
def test_a_plan_has_the_hash_that_an_older_version_stored(name: str) -> None:
    route, item = known(name)
    assert make_plan(route, RouteRequest(), [item], None, date(2026, 1, 1)).hash == HASHES[name]


# The counters and the fields of a page state that version 0.1 did not know.
LATER = "'{unproven,deleted,restored,unproven_from}'::text[]"
LATER_STATE = "'{short,empty_pages,total,total_is_wrong,stalled,doubt}'::text[]"


@pytest.mark.parametrize("style", ["page", "page, by total", "page, by the short page", "offset", "cursor", "next"])
def test_a_run_that_an_older_version_left_goes_on(
    run: Run, server: RestServer, warehouse: psycopg.Connection[Any], style: str
) -> None:
    """Killed before the upgrade, cleared after it."""
    route = make_route(f"{STYLES[style]}\nretry_max: 0")
    server.fail[7] = [500]
    with pytest.raises(TransientApiError):
        run(route)
    changed = warehouse.execute(
        f"UPDATE etl.route_progress SET counters = counters - {LATER}, page_state = page_state - {LATER_STATE}"
    )
    assert changed.rowcount == 1
    server.calls.clear()
    summary = run(route)
    assert (summary["records"], summary["inserted"], summary["resumed"]) == (1000, 1000, True)
    assert 4 <= len(server.calls) <= 7  # pages 7 to 10, and those that prove the end
