"""The period of a run: its days, its windows, their form in requests, and the day of a record. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import msgspec

from sportmonks.coerce import read_time
from sportmonks.errors import ConfigurationError
from sportmonks.routes.json_path import decoded_at
from sportmonks.routes.spec import PeriodSpec

# Seconds since 1970 beyond this are milliseconds (the year 5138 otherwise), these microseconds, and those nanoseconds.
EPOCH_SECONDS_END = 1e11
_EPOCH_MS_END = 1e14
_EPOCH_US_END = 1e17
# Smaller numbers (before March 1973) are years, months or compact dates rather than seconds since 1970.
_EPOCH_BEGINS = 1e8
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_COMPACT_DATE = re.compile(r"(19|2[012])\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
# Milliseconds as .NET writes them in JSON: /Date(1767139200000+0100)/.
_MICROSOFT = re.compile(r"\\?/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\\?/")
# A date of mail and HTTP: Wed, 31 Dec 2025 10:00:00 GMT.
_MAIL_DATE = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d")
# What some APIs write behind ISO 8601: the name of a zone, of which only UTC says something without an offset.
_NAMED_ZONE = re.compile(r"\[[A-Za-z_/+-]+\]$|(?<=\d) ?(?P<utc>UTC|GMT)$")
_SLASHES = re.compile(r"^(\d{4})/(\d\d)/(\d\d)(?=$|[ T])")
# Forms in which a number is a time; in any other, its digits are read as text.
_NUMBERS = ("iso", "epoch", "epoch_ms")
# Years outside are a wrong unit or a placeholder, not the day of a record.
FIRST_YEAR, LAST_YEAR = 1900, 2200
WEEK = "%G-W%V"
_TIMES_OF_DAY = ("%H", "%I", "%M", "%S", "%f", "%s", "%c", "%X", "%T", "%R")
_DAYS = (*_TIMES_OF_DAY, "%d", "%e", "%j", "%x", "%D", "%F", "%a", "%A", "%u", "%w")
# The smallest part of a calendar that a format without a day can name.
Unit = Literal["week", "month", "year"]
_UNITS: tuple[tuple[Unit, tuple[str, ...]], ...] = (
    ("week", ("%V", "%W", "%U")),
    ("month", ("%m", "%b", "%B", "%h")),
    ("year", ("%Y", "%y", "%G")),
)


@dataclass(frozen=True)
class Window:
    """Days from ``first`` to ``last``, both included. ``hours``: only those of the day from the first to below the
    second. ``follows``: another window ends where this one begins."""

    first: date
    last: date
    hours: tuple[int, int] | None = None
    follows: bool = field(default=False, compare=False)

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        if self.hours is not None:
            return f"{self.first} {self.hours[0]:02}:00 to {self.hours[1]:02}:00"
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
    before today, until ``lookahead_days`` after today. Of an API of weeks, months or years these are complete ones: it
    gives no part of one, and its records have the day on which theirs begins. Raises ConfigurationError that names the
    parameter.
    """
    if date_from is None and date_to is None and interval is not None and interval[0] < interval[1]:
        # Of a series of runs, each of which reads its own days.
        return in_units(Window(*interval, follows=True), unit_of(spec.format))
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
    return in_units(Window(first, last), unit_of(spec.format))


def unit_of(form: str) -> Unit | None:
    """The unit of a format that names weeks, months or years and no day within them; None of any other format."""
    if form == "week":
        return "week"
    if form in _NUMBERS or any(part in form for part in _DAYS):
        return None
    return next((unit for unit, parts in _UNITS if any(part in form for part in parts)), None)


def one_at_a_time(spec: PeriodSpec) -> bool:
    """Whether each window of a period is a single day, or a single unit of its format: then its beginning names it."""
    unit, days = unit_of(spec.format), spec.max_days
    if days is None:
        return False
    return (
        days == 1 and not has_time(spec.format) if unit is None else days < {"week": 14, "month": 59, "year": 730}[unit]
    )


def in_units(period: Window, unit: Unit | None) -> Window:
    """``period``, widened to complete units; itself where there is no unit."""
    if unit is None:
        return period
    return replace(period, first=_unit_around(period.first, unit)[0], last=_unit_around(period.last, unit)[1])


def read_again_from(spec: PeriodSpec, collected_to: date) -> date:
    """The first day that a run reads again when the days up to ``collected_to`` have been collected."""
    day = collected_to - timedelta(days=spec.lookback_days)
    return in_units(Window(day, day), unit_of(spec.format)).first


def _unit_around(day: date, unit: Unit) -> tuple[date, date]:
    """First and last day of the unit that ``day`` is in. A week begins on Monday."""
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    first = day.replace(day=1) if unit == "month" else date(day.year, 1, 1)
    following = (first + timedelta(days=31)).replace(day=1) if unit == "month" else date(day.year + 1, 1, 1)
    return first, following - timedelta(days=1)


def moved_watermark(watermark: date | None, done: Window, today: date) -> date | None:
    """The watermark after ``done`` was collected. It never moves back, across a gap, or into the future."""
    last = min(done.last, today)
    if watermark is None:
        return last
    return max(watermark, last) if done.first <= watermark + timedelta(days=1) else watermark


def windows(
    period: Window, max_days: int | None, max_hours: int | None = None, unit: Unit | None = None
) -> list[Window]:
    """``period`` cut into windows of at most ``max_days`` days, or of ``max_hours`` hours, oldest first. With a
    ``unit``, in which the period has to be complete, each window has as many of them as ``max_days`` has room for, and
    one at least."""
    if max_days is None and max_hours is None:
        return [period]
    found: list[Window] = []
    first = period.first
    while first <= period.last:
        last = min(first + timedelta(days=(max_days or 1) - 1), period.last)
        if unit is not None and _unit_around(last, unit)[1] > last:
            last = max(_unit_around(last, unit)[0] - timedelta(days=1), _unit_around(first, unit)[1])
        parts = [(hour, min(hour + max_hours, 24)) for hour in range(0, 24, max_hours)] if max_hours else [None]
        found += [
            Window(first, last, part, period.follows or bool(found) or bool(place)) for place, part in enumerate(parts)
        ]
        first = last + timedelta(days=1)
    return found


def shifted(window: Window, steps: int, unit: Unit | None, *, weeks: bool = True) -> Window | None:
    """The days of a window so many steps later (before, where negative): by as many units of the calendar as it has, or
    by as many days, with ``weeks`` rounded up so that it has the same days of the week. None beyond all years."""
    try:
        if unit in ("month", "year"):
            first = window.first.year * 12 + window.first.month - 1
            months = window.last.year * 12 + window.last.month - first
            begin, end = (divmod(first + steps * months + more, 12) for more in (0, months))
            return Window(date(begin[0], begin[1] + 1, 1), date(end[0], end[1] + 1, 1) - timedelta(days=1))
        days = (window.last - window.first).days + 1
        step = steps * timedelta(days=-(-days // 7) * 7 if weeks else days)
        return Window(window.first + step, window.last + step)
    except (ValueError, OverflowError):
        return None


def request_parameters(spec: PeriodSpec, window: Window) -> dict[str, str]:
    """The parameters of the period under the API's names and in its format; one of them where it takes no end."""
    begin, end = _bounds(spec, window)
    step = _smallest_step(spec.format)
    if not has_time(spec.format):
        # Days of a calendar, whatever their length.
        begin -= timedelta(days=1) if spec.from_exclusive else timedelta()
        end -= timedelta() if spec.to_exclusive else timedelta(days=1)
    else:
        if spec.from_exclusive:
            begin = _earlier(begin, timedelta(seconds=1))
        elif window.follows and not spec.to_exclusive:
            # What lies between the end of the window before, as it is written, and its true end.
            begin = _earlier(begin, step)
        if not spec.to_exclusive:
            end = max(begin, _earlier(end, step), key=datetime.timestamp)
    found = {spec.date_from: _written(begin, spec.format)}
    return found | ({spec.date_to: _written(end, spec.format)} if spec.date_to else {})


def has_time(form: str) -> bool:
    """Whether a format of the period has a time of day."""
    return form in ("iso", "epoch", "epoch_ms") or any(part in form for part in _TIMES_OF_DAY)


def _bounds(spec: PeriodSpec, window: Window) -> tuple[datetime, datetime]:
    """When a window begins, and when it has ended, in the zone of the period. Hours count from the day's beginning, so
    that a day with 23 or 25 of them is read completely and once."""
    zone = ZoneInfo(spec.timezone)
    begin = datetime.combine(window.first, clock.min, zone)
    end = datetime.combine(window.last + timedelta(days=1), clock.min, zone)
    if window.hours is None:
        return begin, end
    first, last = window.hours
    later = min(_earlier(begin, -timedelta(hours=first)), end, key=datetime.timestamp)
    return later, end if last >= 24 else min(_earlier(begin, -timedelta(hours=last)), end, key=datetime.timestamp)


def _earlier(timestamp: datetime, step: timedelta) -> datetime:
    """Before by so much time. Subtracted in the zone itself, an hour that occurs twice would be lost."""
    return (timestamp.astimezone(UTC) - step).astimezone(timestamp.tzinfo)


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


def leads_beyond(link: str, name: str, end: str) -> bool:
    """Whether a link requests days behind those of the request whose answer named it: its parameter ``name`` is more
    than a day later than ``end``. False where either is no day."""
    given = dict(parse_qsl(urlsplit(link).query)).get(name, "")
    try:
        return date.fromisoformat(given[:10]) > date.fromisoformat(end[:10]) + timedelta(days=1)
    except (ValueError, OverflowError):
        return False


def local_today(timestamp: datetime, spec: PeriodSpec | None) -> date:
    """The day of a time in the zone of the period."""
    return timestamp.astimezone(ZoneInfo(spec.timezone if spec else "UTC")).date()


def record_days(
    record: Mapping[str, Any], path: tuple[str, ...], form: str | None = None, timezone: str = "UTC"
) -> tuple[date, ...]:
    """The day of a record in ``timezone`` and, of a time with an offset or of 24:00, the day as it is written; by which
    of the two an API filters is unknown. Empty when the record has none, it cannot be read or lies centuries away.

    ``form``: strptime format; without one, the usual forms of ISO 8601 and epoch seconds or milliseconds are read.
    """
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
        number /= 1_000_000 if abs(number) < _EPOCH_US_END else 1_000_000_000
    return datetime.fromtimestamp(number, UTC)


def _of_text(text: str, form: str | None) -> tuple[datetime, date]:
    """The time, and the day as it is written: the time 24:00 is in the next one."""
    written = date.min

    def read(one: str) -> datetime:
        nonlocal written
        found = datetime.fromisoformat(one) if form in (None, "iso") else datetime.strptime(one, str(form))
        written = found.date()
        return found

    if form is None and (found := _MICROSOFT.fullmatch(text)):
        timestamp = _of_epoch(float(found[1]), "epoch_ms")
        return timestamp, timestamp.date()
    if form is None and _MAIL_DATE.match(text):
        timestamp = parsedate_to_datetime(text)
        return timestamp, timestamp.date()
    if form is None:
        text = _NAMED_ZONE.sub(lambda found: "Z" if found["utc"] else "", text)
        text = _SLASHES.sub(r"\1-\2-\3", text)

    if form == "week":
        text, form = f"{text}-1", f"{WEEK}-%u"
    return read_time(text, read), written
