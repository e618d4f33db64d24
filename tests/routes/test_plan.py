"""The plan of a run: an upgrade must not change its hash, or interrupted runs would start from their beginning."""

from __future__ import annotations

from datetime import date

import pytest

from sportmonks.routes.extract import RouteRequest, make_plan
from sportmonks.routes.parse import load_routes
from sportmonks.routes.spec import Route
from tests.harness.routes import make_route
from tests.routes.conftest import STYLES

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
