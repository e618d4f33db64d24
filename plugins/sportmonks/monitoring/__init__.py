"""Watching the ETL: events, metrics, executions, alerts, deadlines.

The names are loaded on first use: a DAG file that only wants a deadline must not pay for the database driver.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sportmonks.config.thresholds import Thresholds

if TYPE_CHECKING:
    from sportmonks.alerts.deadlines import league_deadline
    from sportmonks.alerts.rules import Alert, ETLAlertManager
    from sportmonks.monitoring.logger import ETLLogger
    from sportmonks.monitoring.monitor import ETLMonitor
    from sportmonks.monitoring.performance import PerformanceTracker

_HOMES = {
    "Alert": "sportmonks.alerts.rules",
    "ETLAlertManager": "sportmonks.alerts.rules",
    "league_deadline": "sportmonks.alerts.deadlines",
    "ETLLogger": "sportmonks.monitoring.logger",
    "ETLMonitor": "sportmonks.monitoring.monitor",
    "PerformanceTracker": "sportmonks.monitoring.performance",
}
__all__ = [
    "Alert",
    "ETLAlertManager",
    "ETLLogger",
    "ETLMonitor",
    "PerformanceTracker",
    "Thresholds",
    "league_deadline",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
