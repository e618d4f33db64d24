"""Limits of the alerts, and how long monitoring data are kept: the ``alerts:`` section of the catalog."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sportmonks.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The ``alerts:`` section of the catalog. A limit is the last value that is still fine."""

    error_rate_percent: float = 5.0
    duration_minutes: float = 60.0
    success_rate_percent: float = 90.0
    consecutive_failures: float = 3.0
    stale_hours: float = 36.0
    dead_after_minutes: float = 15.0  # silence after which Airflow is asked about the run
    keep_logs_days: float = 30.0
    keep_metrics_days: float = 90.0  # collectors' runs, too, but those that tell where one stands
    keep_plans_days: float = 60.0  # fixtures of finished runs, and answers that nobody stored; the figures stay
    keep_alerts_days: float = 365.0

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any] | None) -> Thresholds:
        """Defaults with ``values`` over them. Raises ConfigurationError that names an unknown or senseless dial."""
        known = [entry.name for entry in fields(cls)]
        for name, value in (values or {}).items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
                raise ConfigurationError(f"alerts.{name}: there is no such dial.", hint=hint)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
                raise ConfigurationError(f"alerts.{name} is {value!r}.", hint="Write a number of 0 or more.")
            if name == "consecutive_failures" and value < 1:
                raise ConfigurationError(f"alerts.{name} is {value!r}.", hint="Write a whole number of 1 or more.")
        return cls(**{name: float(value) for name, value in (values or {}).items()})

    def parameters(self) -> dict[str, float]:
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}
