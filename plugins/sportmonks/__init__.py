"""Sportmonks football data into PostgreSQL, run by Airflow.

The public names are documented in ``docs/reference/python-api.md``. Each is loaded at its first use, so that importing
the package is cheap: who needs only the planning functions gets neither Airflow nor the database driver.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sportmonks import errors
    from sportmonks.alerts.rules import ETLAlertManager
    from sportmonks.api.budget import PostgresBudget, UnlimitedBudget
    from sportmonks.api.client import SportmonksClient
    from sportmonks.hooks.sportmonks import SportmonksHook
    from sportmonks.incremental.collector import IncrementalCollector
    from sportmonks.monitoring.logger import ETLLogger
    from sportmonks.monitoring.monitor import ETLMonitor
    from sportmonks.monitoring.performance import PerformanceTracker
    from sportmonks.planning.freshness import (
        SeasonSpan,
        get_seasons_to_fetch,
        get_years_to_fetch,
        should_fetch_year,
    )
    from sportmonks.warehouse.connection import open_connection, warehouse_conninfo
    from sportmonks.warehouse.migrations import migrate

__version__ = "0.2.0"

__all__ = [
    "ETLAlertManager",
    "ETLLogger",
    "ETLMonitor",
    "IncrementalCollector",
    "PerformanceTracker",
    "PostgresBudget",
    "SeasonSpan",
    "SportmonksClient",
    "SportmonksHook",
    "UnlimitedBudget",
    "errors",
    "get_seasons_to_fetch",
    "get_years_to_fetch",
    "migrate",
    "open_connection",
    "should_fetch_year",
    "warehouse_conninfo",
]

# Public name -> module that defines it.
_HOMES = {
    "ETLAlertManager": "sportmonks.alerts.rules",
    "ETLLogger": "sportmonks.monitoring.logger",
    "ETLMonitor": "sportmonks.monitoring.monitor",
    "IncrementalCollector": "sportmonks.incremental.collector",
    "PerformanceTracker": "sportmonks.monitoring.performance",
    "PostgresBudget": "sportmonks.api.budget",
    "SeasonSpan": "sportmonks.planning.freshness",
    "SportmonksClient": "sportmonks.api.client",
    "SportmonksHook": "sportmonks.hooks.sportmonks",
    "UnlimitedBudget": "sportmonks.api.budget",
    "get_seasons_to_fetch": "sportmonks.planning.freshness",
    "get_years_to_fetch": "sportmonks.planning.freshness",
    "migrate": "sportmonks.warehouse.migrations",
    "open_connection": "sportmonks.warehouse.connection",
    "should_fetch_year": "sportmonks.planning.freshness",
    "warehouse_conninfo": "sportmonks.warehouse.connection",
}

if not TYPE_CHECKING:  # a type checker would take every misspelt name for one that this function gives

    def __getattr__(name: str) -> Any:
        if name == "errors":
            return import_module("sportmonks.errors")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
