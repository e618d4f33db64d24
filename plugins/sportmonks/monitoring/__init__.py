"""Monitoring: executions, log events and metrics, written to the tables of schema ``etl`` from any thread.

The names are loaded on first use, so that importing this package does not load the database driver.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sportmonks.monitoring.logger import ETLLogger
    from sportmonks.monitoring.monitor import ETLMonitor
    from sportmonks.monitoring.performance import PerformanceTracker

_MODULES = {"ETLLogger": "logger", "ETLMonitor": "monitor", "PerformanceTracker": "performance"}
__all__ = ["ETLLogger", "ETLMonitor", "PerformanceTracker"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
