"""Payloads of a season, as the sandbox sends them."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from sandbox.clock import Clock, parse_time
from sandbox.limits import Limits
from sandbox.state import Sandbox
from sandbox.truth import payload
from sandbox.world import Options


def season_payloads() -> list[dict[str, Any]]:
    """Payloads of a finished season of twelve matches with every include, which the test may change."""
    return copy.deepcopy(_season_payloads())


@cache
def _season_payloads() -> list[dict[str, Any]]:
    sandbox = Sandbox(
        Options(leagues=1, seasons=2, teams=4), Clock(parse_time("2026-03-01T12:00:00Z"), True), Limits(1000, 3600)
    )
    season = min(sandbox.seasons(), key=lambda found: found.id)
    return [payload(sandbox, view) for view in sandbox.season_views(season.id)]
