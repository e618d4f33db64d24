"""Names in catalogs and manifests of version 0.1, which are read as the present names until version 0.3.

An upgrade does not change the user's catalog file, and runs use the old manifest until the DAG ``sportmonks_catalog``
has written a new one.
"""

from __future__ import annotations

from typing import Any

# Section or key of the catalog -> its present name. No other setting ever had one of these names.
RENAMED = {"refetch": "recheck", "rungs_hours": "schedule_hours"}


def rename_settings(settings: Any) -> Any:
    """Settings as plain values, with the present names."""
    if not isinstance(settings, dict):
        return settings
    return {RENAMED.get(key, key): rename_settings(value) for key, value in settings.items()}


def present_manifest(raw: Any) -> Any:
    """A decoded manifest of version 1 in the form of version 2; any other value as it is."""
    if not isinstance(raw, dict) or raw.get("version") != 1:
        return raw
    kept = {key: value for key, value in raw.items() if key not in ("version", "dials")}
    return {"version": 2, "settings": rename_settings(raw.get("dials", {})), **kept}
