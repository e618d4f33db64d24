"""Manifests for the DAG tests."""

from __future__ import annotations

from typing import Any

import msgspec

from sportmonks.config.catalog import Catalog
from sportmonks.config.manifest import Manifest, build_manifest


def manifest(leagues: int = 2, seasons: int = 3, previous: Manifest | None = None, **rest: Any) -> Manifest:
    """Leagues 1..n, each with seasons of rising years."""
    offered = [
        {
            "id": league,
            "name": f"League {league}",
            "seasons": [
                {"id": league * 100 + n, "name": f"{2000 + n}/{2001 + n}", "is_current": n == seasons - 1}
                for n in range(seasons)
            ],
        }
        for league in range(1, leagues + 1)
    ]
    return build_manifest(Catalog(**rest), offered, previous)


def text(found: Manifest) -> str:
    return msgspec.json.encode(found).decode()


def plain(found: Manifest) -> Any:
    return msgspec.to_builtins(found)
