"""The period of a run: its days, its windows, their form in requests, and the day of a record. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from sportmonks.coerce import read_time
from sportmonks.errors import ConfigurationError
from sportmonks.routes.json_path import decoded_at
from sportmonks.routes.spec import PeriodSpec

# Seconds since 1970 beyond this are milliseconds (the year 5138 otherwise), and these microseconds.
EPOCH_SECONDS_END = 1e11
_EPOCH_MS_END = 1e14
# Smaller numbers (before March 1973) are years, months or compact dates rather than seconds since 1970.
_EPOCH_BEGINS = 1e8
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_COMPACT_DATE = re.compile(r"(19|2[012])\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
# Forms in which a number is a time; in any other, its digits are read as text.
_NUMBERS = ("iso", "epoch", "epoch_ms")
# Years outside are a wrong unit or a placeholder, not the day of a record.
FIRST_YEAR, LAST_YEAR = 1900, 2200
WEEK = "%G-W%V"
_TIMES_OF_DAY = ("%H", "%I", "%M", "%S", "%f", "%s", "%c", "%X", "%T", "%R")


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
    if first.year < FIRST_YEAR or last.year > LAST_YEAR:
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
    """The parameters of the period under the API's names and in its format; one of them where it takes no end."""
    zone = ZoneInfo(spec.timezone)
    begin = datetime.combine(window.first, clock.min, zone)
    end = datetime.combine(window.last + timedelta(days=1), clock.min, zone)
    plain_days = spec.format not in ("iso", "epoch", "epoch_ms") and not any(t in spec.format for t in _TIMES_OF_DAY)
    if spec.from_exclusive:
        begin -= timedelta(days=1) if plain_days else timedelta(seconds=1)
    if not spec.to_exclusive:
        end -= _smallest_step(spec.format)
    found = {spec.date_from: _written(begin, spec.format)}
    return found | ({spec.date_to: _written(end, spec.format)} if spec.date_to else {})


def _smallest_step(form: str) -> timedelta:
    if form == "epoch_ms":
        return timedelta(milliseconds=1)
    return timedelta(microseconds=1) if "%f" in form else timedelta(seconds=1)


def _written(timestamp: datetime, form: str) -> str:
    if form == "epoch":
        return str(int(timestamp.timestamp()))
    if form == "epoch_ms":
        return str(round(timestamp.timestamp() * 1000))
    if form == "iso":
        return timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return timestamp.strftime(WEEK if form == "week" else form)


def local_today(timestamp: datetime, spec: PeriodSpec | None) -> date:
    """The day of a time in the zone of the period."""
    return timestamp.astimezone(ZoneInfo(spec.timezone if spec else "UTC")).date()


def record_day(
    record: Mapping[str, Any], path: tuple[str, ...], form: str | None = None, timezone: str = "UTC"
) -> date | None:
    """The day of a record in ``timezone``; None when it has none, it cannot be read or lies centuries away.

    ``form``: strptime format; without one, the usual forms of ISO 8601 and epoch seconds or milliseconds are read.
    """
    days = record_days(record, path, form, timezone)
    return days[0] if days else None


def record_days(
    record: Mapping[str, Any], path: tuple[str, ...], form: str | None = None, timezone: str = "UTC"
) -> tuple[date, ...]:
    """The day of a record in ``timezone`` and, of a time with an offset or of 24:00, the day as it is written; by which
    of the two an API filters is unknown. Empty when the record has none, it cannot be read or lies centuries away."""
    value: Any = decoded_at(record, path)
    if value is None or isinstance(value, bool):
        return ()
    try:
        if isinstance(value, msgspec.Raw):  # a number whose text is kept
            value = bytes(value).decode()
            if form is None or form in _NUMBERS:
                value = float(value)
        if form is None:
            value = _date_or_number(value)
        elif form not in _NUMBERS and isinstance(value, int | float):
            value = str(value)
        if isinstance(value, int | float) or form in ("epoch", "epoch_ms"):
            timestamp = _of_epoch(float(value), form)
            written = timestamp.date()
        elif isinstance(value, str):
            timestamp, written = _of_text(value.strip(), form)
        else:
            return ()
        day = timestamp.astimezone(ZoneInfo(timezone)).date() if timestamp.tzinfo else timestamp.date()
    except (ValueError, OverflowError, OSError, TypeError):
        return ()
    return (day, written) if FIRST_YEAR <= day.year <= LAST_YEAR else ()


def _date_or_number(value: Any) -> Any:
    """A value without a declared form: digits are an epoch where they are many, a date where eight of them form one,
    and nothing (ValueError) where they are fewer: a year, a month, a small number."""
    text = value.strip() if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    if _COMPACT_DATE.fullmatch(text):
        return text
    if isinstance(value, str) and _NUMBER.fullmatch(text):
        value = float(text)
    if isinstance(value, int | float) and abs(value) < _EPOCH_BEGINS:
        raise ValueError(f"{value} is no time")
    return value


def _of_epoch(number: float, form: str | None) -> datetime:
    if form == "epoch_ms" or (form is None and EPOCH_SECONDS_END <= abs(number) < _EPOCH_MS_END):
        number /= 1000
    elif form is None and abs(number) >= _EPOCH_MS_END:
        number /= 1_000_000
    return datetime.fromtimestamp(number, UTC)


def _of_text(text: str, form: str | None) -> tuple[datetime, date]:
    """The time, and the day as it is written: the time 24:00 is in the next one."""
    written = date.min

    def read(one: str) -> datetime:
        nonlocal written
        found = datetime.fromisoformat(one) if form in (None, "iso") else datetime.strptime(one, str(form))
        written = found.date()
        return found

    if form == "week":
        text, form = f"{text}-1", f"{WEEK}-%u"
    return read_time(text, read), written
