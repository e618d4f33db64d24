"""Names that catalogs and manifests of version 0.1 hold: read as the present ones until version 0.3.

An upgrade leaves the user's catalog file alone, and runs go on with the manifest of before until the DAG
``sportmonks_catalog`` has written a new one.
"""

from __future__ import annotations

from typing import Any

import yaml

# Section or key of the catalog -> its present name. None of them has stood, or stands, for anything else.
RENAMED = {"refetch": "recheck", "rungs_hours": "schedule_hours"}


def rename_settings(settings: Any) -> Any:
    """``settings`` (plain values, as read) with the present names."""
    if not isinstance(settings, dict):
        return settings
    return {RENAMED.get(key, key): rename_settings(value) for key, value in settings.items()}


def rename_keys(node: yaml.Node | None) -> None:
    """The same for the YAML that messages take their line from, in place."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            key.value = RENAMED.get(key.value, key.value)
            rename_keys(value)


def present_manifest(raw: Any) -> Any:
    """A decoded manifest of version 1 in the form of version 2; any other value as it is."""
    if not isinstance(raw, dict) or raw.get("version") != 1:
        return raw
    kept = {key: value for key, value in raw.items() if key not in ("version", "dials")}
    return {"version": 2, "settings": rename_settings(raw.get("dials", {})), **kept}
