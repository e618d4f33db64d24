"""Days: periods, windows, the API's words, the day of a record."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import msgspec
import pytest

from sportmonks.errors import ConfigurationError
from sportmonks.routes.period import (
    Unit,
    Window,
    in_units,
    moved_watermark,
    parse_day,
    record_days,
    request_parameters,
    resolve_period,
    unit_of,
    windows,
)
from sportmonks.routes.spec import PeriodSpec

TODAY = date(2025, 6, 15)
SPEC = PeriodSpec("from", "to", first_days=30, lookback_days=3, lookahead_days=7)


def d(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("2025-05-16", "2025-06-22")),
        ({"watermark": d("2025-06-14")}, ("2025-06-11", "2025-06-22")),
        ({"watermark": d("2025-06-20")}, ("2025-06-12", "2025-06-22")),
        ({"date_from": d("2025-01-01")}, ("2025-01-01", "2025-06-22")),
        ({"date_from": d("2025-07-01")}, ("2025-07-01", "2025-07-08")),
        ({"date_to": d("2024-03-31")}, ("2024-03-01", "2024-03-31")),
        ({"date_from": d("2024-03-31"), "date_to": d("2024-03-31")}, ("2024-03-31", "2024-03-31")),
        ({"interval": (d("2025-06-01"), d("2025-06-02"))}, ("2025-06-01", "2025-06-02")),
        ({"interval": (d("2025-06-01"), d("2025-06-02")), "date_to": TODAY}, ("2025-05-16", "2025-06-15")),
    ],
)
def test_period_of_a_run(given: dict[str, Any], expected: tuple[str, str]) -> None:
    period = resolve_period(SPEC, today=TODAY, **given)
    assert (str(period.first), str(period.last)) == expected


def test_nonsense_names_the_parameter() -> None:
    with pytest.raises(ConfigurationError, match="date_from 2025-02-01 is after date_to 2025-01-01"):
        resolve_period(SPEC, date_from=d("2025-02-01"), date_to=d("2025-01-01"), today=TODAY)
    with pytest.raises(ConfigurationError, match="is not plausible"):
        resolve_period(SPEC, date_from=d("0201-02-01"), today=TODAY)
    with pytest.raises(ConfigurationError, match=r"date_to is '31\.01\.2025'"):
        parse_day("31.01.2025", "date_to")
    assert parse_day("2025-01-31T00:00:00Z", "x") == d("2025-01-31")
    assert parse_day(" ", "x") is None


@pytest.mark.parametrize("days", [1, 7, 31, 100, 365, 1000])
def test_windows_cover_the_period_exactly(days: int) -> None:
    period = Window(d("2024-01-15"), d("2025-03-20"))
    found = windows(period, days)
    assert (found[0].first, found[-1].last) == (period.first, period.last)
    for one in found:
        assert 1 <= (one.last - one.first).days + 1 <= days
    for one, following in itertools.pairwise(found):
        assert (following.first - one.last).days == 1
    assert windows(period, None) == [period]


@pytest.mark.parametrize(
    ("form", "unit", "first", "last"),
    [
        ("%Y-%m", "month", "2024-02-01", "2024-12-31"),
        ("%m/%Y", "month", "2024-02-01", "2024-12-31"),
        ("%b %y", "month", "2024-02-01", "2024-12-31"),
        ("%Y", "year", "2024-01-01", "2024-12-31"),
        ("week", "week", "2024-02-12", "2025-01-05"),
        ("%G-W%V", "week", "2024-02-12", "2025-01-05"),
        ("%Y-%m-%d", None, "2024-02-15", "2024-12-30"),
        ("%Y%j", None, "2024-02-15", "2024-12-30"),
        ("%G-W%V-%u", None, "2024-02-15", "2024-12-30"),
        ("%Y-%m-01T%H:%M:%S", None, "2024-02-15", "2024-12-30"),
        ("epoch_ms", None, "2024-02-15", "2024-12-30"),
    ],
)
def test_a_format_without_a_day_names_complete_units(form: str, unit: Unit | None, first: str, last: str) -> None:
    assert unit_of(form) == unit
    spec = PeriodSpec("from", "to", format=form)
    found = resolve_period(spec, date_from=d("2024-02-15"), date_to=d("2024-12-30"), today=TODAY)
    assert (str(found.first), str(found.last)) == (first, last)
    series = resolve_period(spec, interval=(d("2024-02-15"), d("2024-12-30")), today=TODAY)
    assert (str(series.first), str(series.last), series.follows) == (first, last, True)


@pytest.mark.parametrize("days", [1, 7, 30, 31, 45, 62, 366])
@pytest.mark.parametrize("unit", ["week", "month", "year"])
def test_windows_of_complete_units(unit: Unit, days: int) -> None:
    """Each unit is requested once, and no window is longer than it may be, unless a single unit is."""
    period = in_units(Window(d("2024-01-15"), d("2026-03-20")), unit)
    found = windows(period, days, unit=unit)
    assert (found[0].first, found[-1].last) == (period.first, period.last)
    for one in found:
        assert in_units(one, unit) == one
        alone = in_units(Window(one.first, one.first), unit)
        assert (one.last - one.first).days + 1 <= days or one == alone
    for one, following in itertools.pairwise(found):
        assert (following.first - one.last).days == 1


@pytest.mark.parametrize(
    ("form", "exclusive", "expected"),
    [
        ("%Y-%m-%d", False, ("2025-01-01", "2025-01-31")),
        ("%Y-%m-%d", True, ("2025-01-01", "2025-02-01")),
        ("%d/%m/%Y", False, ("01/01/2025", "31/01/2025")),
        ("%Y-%m-%d %H:%M:%S", False, ("2025-01-01 00:00:00", "2025-01-31 23:59:59")),
        ("iso", True, ("2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z")),
        ("epoch", False, ("1735689600", "1738367999")),
        ("epoch_ms", True, ("1735689600000", "1738368000000")),
    ],
)
def test_the_apis_own_words(form: str, exclusive: bool, expected: tuple[str, str]) -> None:
    spec = PeriodSpec("since", "until", format=form, to_exclusive=exclusive)
    words = request_parameters(spec, Window(d("2025-01-01"), d("2025-01-31")))
    assert words == {"since": expected[0], "until": expected[1]}


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("2025-01-31", None, "2025-01-31"),
        ("2025-01-31 23:59:59", None, "2025-01-31"),
        ("2025-01-31T23:30:00-02:00", None, "2025-02-01"),  # the day counts in UTC
        ("2025-01-31T23:30:00Z", None, "2025-01-31"),
        ("2025-01-31T24:00:00Z", None, "2025-02-01"),
        ("20250131T2400", "iso", "2025-02-01"),
        ("31/01/2025 24:00", "%d/%m/%Y %H:%M", "2025-02-01"),
        ("2016-12-31T23:59:60Z", None, "2017-01-01"),
        ("2016-12-31T23:59:61Z", None, None),
        (1738367999, None, "2025-01-31"),
        (1738367999000, None, "2025-01-31"),
        ("1738367999", "epoch", "2025-01-31"),
        ("31/01/2025", "%d/%m/%Y", "2025-01-31"),
        (20250131, "%Y%m%d", "2025-01-31"),
        (msgspec.Raw(b"1738367999.000216"), None, "2025-01-31"),
        ("1738367999.000216", None, "2025-01-31"),
        (20250131, None, "2025-01-31"),
        ("20250131", None, "2025-01-31"),
        ("/Date(1738367999000+0100)/", None, "2025-01-31"),
        ("Fri, 31 Jan 2025 23:59:59 GMT", None, "2025-01-31"),
        ("31 Jan 2025 23:30:00 -0200", None, "2025-02-01"),
        ("31 Foo 2025 23:30:00 GMT", None, None),
        ("2025-01-31 23:59:59 UTC", None, "2025-01-31"),
        ("2025-01-31T23:30:00-02:00[America/Noronha]", None, "2025-02-01"),
        ("2025/01/31 23:59:59", None, "2025-01-31"),
        ("2025-01-31T23:59:59.1234567Z", None, "2025-01-31"),
        (1738367999000216, None, "2025-01-31"),
        (1738367999000216123, None, "2025-01-31"),
        (20251331, None, None),
        (2025, None, None),
        ("2025", None, None),
        ("202501", None, None),
        (0, "epoch", "1970-01-01"),
        ("31/01/2025", None, None),
        ("0000-00-00", None, None),
        ("", None, None),
        (None, None, None),
        (True, None, None),
        ([1], None, None),
        (float("inf"), None, None),
        (1e300, None, None),
    ],
)
def test_the_day_of_a_record(value: Any, form: str | None, expected: str | None) -> None:
    found = record_days({"a": {"b": value}}, ("a", "b"), form)
    assert found[:1] == ((d(expected),) if expected else ())
    assert record_days({"a": 3}, ("a", "b"), form) == ()


def test_the_midnight_at_the_end_of_a_day_may_count_for_either_day() -> None:
    """An API that writes 24:00 may filter by the day in which the text begins."""
    assert record_days({"at": "2025-01-31T24:00:00Z"}, ("at",)) == (d("2025-02-01"), d("2025-01-31"))


@pytest.mark.parametrize(
    ("before", "done", "after"),
    [
        (None, ("2025-01-01", "2025-01-31"), "2025-01-31"),
        ("2025-01-31", ("2025-02-01", "2025-02-10"), "2025-02-10"),
        ("2025-01-31", ("2025-02-02", "2025-02-10"), "2025-01-31"),
        ("2025-01-31", ("2020-01-01", "2020-02-10"), "2025-01-31"),
        ("2025-01-31", ("2025-01-01", "2025-12-31"), "2025-06-15"),
    ],
)
def test_the_watermark_never_goes_back_nor_over_a_gap(before: str | None, done: tuple[str, str], after: str) -> None:
    moved = moved_watermark(d(before) if before else None, Window(d(done[0]), d(done[1])), TODAY)
    assert moved == d(after)


def test_nothing_lies_between_two_windows() -> None:
    """A window that follows another begins where that one ends as it is written: fractions of a second have a place."""
    found = windows(Window(d("2025-01-01"), d("2025-01-03")), 1)
    spec = PeriodSpec("a", "b", format="%Y-%m-%d %H:%M:%S", max_days=1)
    sent = [list(request_parameters(spec, one).values()) for one in found]
    assert sent[0] == ["2025-01-01 00:00:00", "2025-01-01 23:59:59"]
    assert [begin for begin, _ in sent[1:]] == [end for _, end in sent[:-1]]
    # Not where the end is excluded, of days, or of the first window; but of a run that is one of a series.
    exclusive = PeriodSpec("a", "b", format="iso", to_exclusive=True)
    assert request_parameters(exclusive, found[1])["a"] == "2025-01-02T00:00:00Z"
    assert request_parameters(PeriodSpec("a", "b"), found[1])["a"] == "2025-01-02"
    series = resolve_period(spec, interval=(d("2025-01-02"), d("2025-01-04")), today=TODAY)
    assert request_parameters(spec, windows(series, None)[0])["a"] == "2025-01-01 23:59:59"


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        # Clocks go back from 0:00 to 23:00, so that the last hour of the day occurs twice.
        ("America/Havana", "2025-11-01", ("2025-11-01T04:00:00Z", "2025-11-02T03:59:59Z")),
        ("Asia/Beirut", "2025-10-25", ("2025-10-24T21:00:00Z", "2025-10-25T21:59:59Z")),
        # From 1:00 to 0:00: the first hour of the day after occurs twice.
        ("Atlantic/Azores", "2025-10-25", ("2025-10-25T00:00:00Z", "2025-10-25T23:59:59Z")),
        # Forward at midnight: the day has no 0:00.
        ("Asia/Beirut", "2025-03-30", ("2025-03-29T22:00:00Z", "2025-03-30T20:59:59Z")),
    ],
)
def test_days_that_clocks_change(zone: str, day: str, expected: tuple[str, str]) -> None:
    spec = PeriodSpec("a", "b", format="iso", timezone=zone)
    assert tuple(request_parameters(spec, Window(d(day), d(day))).values()) == expected


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe"])
@pytest.mark.parametrize("hours", [1, 5, 6, 12, 23])
def test_hours_cover_each_day_exactly(zone: str, hours: int) -> None:
    """Also those of 23 and 25 hours."""
    spec = PeriodSpec("a", "b", format="epoch", timezone=zone, to_exclusive=True, max_hours=hours)
    for period in (Window(d("2025-03-08"), d("2025-04-07")), Window(d("2025-10-04"), d("2025-11-03"))):
        found = windows(period, None, hours)
        assert len(found) == 31 * -(-24 // hours)
        assert len({str(one) for one in found}) == len(found)
        sent = [tuple(map(int, request_parameters(spec, one).values())) for one in found]
        assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(sent))
        assert all(0 <= end - begin <= (hours + 1) * 3600 for begin, end in sent)
        complete = request_parameters(spec, period)
        assert (sent[0][0], sent[-1][1]) == (int(complete["a"]), int(complete["b"]))
