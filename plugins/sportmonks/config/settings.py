"""Names and folders that every part of the package uses, and the settings that a task reads from its environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from sportmonks.coerce import as_int
from sportmonks.errors import ConfigurationError

API_CONN_ID = "sportmonks_api"
WAREHOUSE_CONN_ID = "sportmonks_warehouse"
MANIFEST_VARIABLE = "sportmonks_manifest"
# Where the page is mounted, below Airflow's own address.
PAGE = "sportmonks-etl"
DEFAULT_INCLUDES = ("participants", "scores", "events", "statistics", "periods", "lineups.details")


# What the wheel holds of include/: the SQL, and the catalog with its defaults.
_PACKAGED = Path(__file__).resolve().parents[1] / "include"


def _include_dir() -> Path:
    """``ETL_INCLUDE_DIR``, else ``include/`` beside ``plugins/``, else what the wheel holds."""
    named = os.environ.get("ETL_INCLUDE_DIR")
    if named:
        return Path(named)
    beside = Path(__file__).resolve().parents[3] / "include"
    return beside if (beside / "sql").is_dir() or not _PACKAGED.is_dir() else _PACKAGED


def _own_or_packaged(name: str) -> Path:
    """A file or folder of the include folder; the wheel's where that folder has none of this name."""
    own = INCLUDE_DIR / name
    return own if own.exists() or not (_PACKAGED / name).exists() else _PACKAGED / name


INCLUDE_DIR = _include_dir()
SQL_DIR = _own_or_packaged("sql")
CATALOG_FILE = _own_or_packaged("catalog.yaml")
ROUTES_DIR = INCLUDE_DIR / "routes"

# One include, with an optional selection of fields, such as lineups.details:type_id,data.
INCLUDE_PATTERN = r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*(:[a-z0-9_,]+)?"


def parse_includes(text: str, *, name: str = "ETL_INCLUDES") -> tuple[str, ...]:
    """Includes separated by ``,`` or ``;`` in the order given, without repeats.

    Field selection (``lineups.details:type_id,data``) needs ``;`` between the includes.
    Raises ConfigurationError that names the bad part.
    """
    parts = text.split(";") if ";" in text or ":" in text else text.split(",")
    found = [part.strip() for part in parts if part.strip()]
    for part in found:
        if not re.fullmatch(INCLUDE_PATTERN, part):
            raise ConfigurationError(
                f"{name}: '{part}' is not an include.",
                hint="Write names such as participants;scores;lineups.details.",
            )
    return tuple(dict.fromkeys(found))


def is_league_id(text: str) -> bool:
    """Whether ``text`` is a positive whole number."""
    return text.isascii() and text.isdigit() and (as_int(text) or 0) > 0


def parse_leagues(text: str) -> tuple[int, ...] | None:
    """The league ids of ``ETL_LEAGUES``, separated by commas; ``all`` gives None. Raises ConfigurationError."""
    if text.strip().lower() == "all":
        return None
    ids: list[int] = []
    for part in text.split(","):
        if not part.strip():
            continue
        if not is_league_id(part.strip()):
            raise ConfigurationError(
                f"ETL_LEAGUES: '{part.strip()}' is not a league id.",
                hint="Set ETL_LEAGUES to ids such as 8,564 or to all.",
            )
        ids.append(int(part))
    if not ids:
        raise ConfigurationError("ETL_LEAGUES is empty.", hint="Set ETL_LEAGUES to ids such as 8,564 or to all.")
    return tuple(dict.fromkeys(ids))


def leagues_override(env: Mapping[str, str] = os.environ) -> tuple[bool, tuple[int, ...] | None]:
    """Whether ``ETL_LEAGUES`` is set, and its ids (None for all). Raises ConfigurationError."""
    text = env.get("ETL_LEAGUES", "").strip()
    return (True, parse_leagues(text)) if text else (False, None)


def includes_override(env: Mapping[str, str] = os.environ) -> tuple[str, ...] | None:
    """Includes from ``ETL_INCLUDES``, None when it is not set. Raises ConfigurationError."""
    text = env.get("ETL_INCLUDES", "").strip()
    return parse_includes(text) if text else None
