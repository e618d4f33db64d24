"""The period of a run: its days, its windows, their form in requests, and the day of a record. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any

from sportmonks.errors import ConfigurationError
from sportmonks.routes.spec import PeriodSpec

# Seconds since 1970 beyond this are milliseconds (the year 5138 otherwise).
EPOCH_SECONDS_END = 1e11


@dataclass(frozen=True)
class Window:
    """Days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def parse_day(text: str | None, name: str) -> date | None:
    """The day of a parameter of the trigger form: ``YYYY-MM-DD``, a time after it is ignored; blank is None."""
    if text is None or not str(text).strip():
        return None
    try:
        return date.fromisoformat(str(text).strip()[:10])
    except ValueError:
        raise ConfigurationError(f"{name} is '{text}'.", hint="Write it as YYYY-MM-DD.") from None


def resolve_period(
    spec: PeriodSpec,
    *,
    date_from: date | None = None,
    date_to: date | None = None,
    watermark: date | None = None,
    interval: tuple[date, date] | None = None,
    today: date,
) -> Window:
    """The period of a run: the days of the form; without them the run's data interval; without that, from
    ``lookback_days`` before the watermark (the last day collected without a gap) or, in a first run, ``first_days``
    before today, until ``lookahead_days`` after today. Raises ConfigurationError that names the parameter.
    """
    if date_from is None and date_to is None and interval is not None and interval[0] < interval[1]:
        return Window(*interval)
    last = date_to or max(today, date_from or today) + timedelta(days=spec.lookahead_days)
    if date_from is not None:
        first = date_from
    elif date_to is not None or watermark is None:
        first = min(last, today) - timedelta(days=spec.first_days)
    else:
        first = min(watermark, today) - timedelta(days=spec.lookback_days)
    if first > last:
        raise ConfigurationError(f"date_from {first} is after date_to {last}.", hint="Swap date_from and date_to.")
    if first.year < 1900 or last.year > 2200:
        raise ConfigurationError(f"The period {first} to {last} is not plausible.", hint="Check the years.")
    return Window(first, last)


def moved_watermark(watermark: date | None, done: Window, today: date) -> date | None:
    """The watermark after ``done`` was collected. It never moves back, across a gap, or into the future."""
    last = min(done.last, today)
    if watermark is None:
        return last
    return max(watermark, last) if done.first <= watermark + timedelta(days=1) else watermark


def windows(period: Window, max_days: int | None) -> list[Window]:
    """``period`` cut into windows of at most ``max_days`` days, oldest first."""
    if max_days is None:
        return [period]
    found = []
    first = period.first
    while first <= period.last:
        last = min(first + timedelta(days=max_days - 1), period.last)
        found.append(Window(first, last))
        first = last + timedelta(days=1)
    return found


def request_parameters(spec: PeriodSpec, window: Window) -> dict[str, str]:
    """The two parameters of the period under the API's names and in its format."""
    begin = datetime.combine(window.first, clock.min, UTC)
    end = datetime.combine(window.last + timedelta(days=1), clock.min, UTC)
    if not spec.to_exclusive:
        end -= timedelta(seconds=1)
    return {spec.date_from: _written(begin, spec.format), spec.date_to: _written(end, spec.format)}


def _written(timestamp: datetime, form: str) -> str:
    if form == "epoch":
        return str(int(timestamp.timestamp()))
    if form == "epoch_ms":
        return str(int(timestamp.timestamp() * 1000))
    return timestamp.strftime("%Y-%m-%dT%H:%M:%SZ" if form == "iso" else form)


def record_day(record: Mapping[str, Any], path: tuple[str, ...], form: str | None = None) -> date | None:
    """The UTC day of a record; None when it has none or it cannot be read.

    ``form``: strptime format; without one, the usual forms of ISO 8601 and epoch seconds or milliseconds are read.
    """
    value: Any = record
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None or isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float) or form in ("epoch", "epoch_ms"):
            number = float(value)
            milli = form == "epoch_ms" or (form is None and abs(number) >= EPOCH_SECONDS_END)
            return datetime.fromtimestamp(number / 1000 if milli else number, UTC).date()
        if not isinstance(value, str):
            return None
        text = value.strip()
        timestamp = datetime.strptime(text, form) if form and form != "iso" else datetime.fromisoformat(text)
        return (timestamp.astimezone(UTC) if timestamp.tzinfo else timestamp).date()
    except (ValueError, OverflowError, OSError, TypeError):
        return None
