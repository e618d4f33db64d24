"""Where the package finds its files."""

from __future__ import annotations

import os
from pathlib import Path


def _include_dir() -> Path:
    """``ETL_INCLUDE_DIR``, else ``include/`` beside ``plugins/``."""
    named = os.environ.get("ETL_INCLUDE_DIR")
    return Path(named) if named else Path(__file__).resolve().parents[3] / "include"


INCLUDE_DIR = _include_dir()
SQL_DIR = INCLUDE_DIR / "sql"
CATALOG_FILE = INCLUDE_DIR / "catalog.yaml"
ROUTES_DIR = INCLUDE_DIR / "routes"
