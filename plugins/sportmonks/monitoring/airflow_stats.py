"""The package's figures among Airflow's own metrics, which Airflow sends to StatsD, OpenTelemetry or DataDog.

Where they go, and whether at all, is Airflow's configuration (``[metrics]``); without it these functions do nothing. A
figure that cannot be sent is dropped: nothing here raises or waits. docs/operations/monitoring.md lists the names.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sportmonks.warehouse.queries import sql

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)
PREFIX = "sportmonks."


def count(name: str, value: float = 1, **tags: Any) -> None:
    """Add ``value`` to a counter; zero and less are not sent."""
    if value > 0:
        _send("incr", name, int(value), tags)


def gauge(name: str, value: float, **tags: Any) -> None:
    """What a figure is now."""
    _send("gauge", name, value, tags)


def timing(name: str, seconds: float, **tags: Any) -> None:
    """How long something took. Airflow sends milliseconds."""
    _send("timing", name, timedelta(seconds=seconds), tags)


def report(conn: psycopg.Connection[Any]) -> int:
    """Send the gauges of the warehouse, those of leagues and budgets; how many. Where Airflow sends no metrics, nothing
    is queried."""
    import psycopg

    from sportmonks.airflow_compat import sends_stats

    if not sends_stats():
        return 0
    try:
        rows = conn.execute(sql("monitoring/gauges")).fetchall()
    except psycopg.Error as error:
        log.warning("The gauges for Airflow's metrics were not sent: %s", str(error).partition("\n")[0])
        return 0
    for name, value, tags in rows:
        gauge(name, float(value), **tags)
    return len(rows)


def _send(kind: str, name: str, value: Any, tags: Mapping[str, Any]) -> None:
    try:
        from sportmonks.airflow_compat import stats

        getattr(stats(), kind)(PREFIX + name, value, tags={key: str(each) for key, each in tags.items()})
    except Exception as error:
        log.debug("The metric %s was not sent: %s", name, type(error).__name__)
