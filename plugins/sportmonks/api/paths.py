"""Paths of the Sportmonks API: the full path, the bucket that a path is counted in, and its shape for logs."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ROOTS = ("football", "core", "my", "odds")
_IDS = re.compile(r"(?<=/)\d+(?:,\d+)*(?=/|$)")

# The first segment below the root -> the bucket that the API counts the call in.
_ENTITIES: Mapping[str, str] = {
    "fixtures": "Fixture",
    "livescores": "Fixture",
    "schedules": "Stage",
    "leagues": "League",
    "seasons": "Season",
    "states": "State",
    "types": "Type",
    "countries": "Country",
    "squads": "Team",
    "coaches": "Coach",
    "news": "News",
}

# Calls of a bucket that do not depend on a single fixture or season: they show whether the API is back after a rest.
PROBE_PATHS: Mapping[str, str] = {
    "Fixture": "football/fixtures",
    "League": "football/leagues",
    "Season": "football/seasons",
    "Stage": "football/stages",
}


def full_path(path: str) -> str:
    """The path below ``/v3``: ``football/fixtures`` of ``/fixtures``; core, my and odds paths as they are."""
    path = path.strip("/")
    return path if path.partition("/")[0] in _ROOTS else f"football/{path}"


def shape(path: str) -> str:
    """The path without its ids, for logs and metrics: ``football/fixtures/multi/{50 ids}``."""
    return _IDS.sub(lambda found: "{id}" if "," not in found[0] else f"{{{found[0].count(',') + 1} ids}}", path)


def entity_of(path: str) -> str:
    """The bucket that a path is most likely counted in; the budget learns from the answers where that is wrong."""
    root, _, rest = full_path(path).partition("/")
    segment = rest.partition("/")[0]
    if root == "my" and segment != "leagues":
        return "Resource"
    return _ENTITIES.get(segment) or segment.replace("-", " ").title().replace(" ", "").removesuffix("s") or "Resource"
