"""Which years and seasons are due: the rules as tables, with a fixed clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sportmonks.errors import ConfigurationError
from sportmonks.incremental import (
    SWEEPS,
    SeasonSpan,
    Sweep,
    get_seasons_to_fetch,
    get_years_to_fetch,
    season_ranks,
    should_fetch_year,
)

NOW = datetime(2025, 11, 23, 6, 0, tzinfo=UTC)
ALL = list(range(2000, 2026))


def ago(**delta: float) -> datetime:
    return NOW - timedelta(**delta)


@pytest.mark.parametrize(
    ("last_run", "max_age_days", "expected"),
    [
        pytest.param(None, 365, ALL, id="first run: everything"),
        pytest.param(ago(days=1), 365, [2024, 2025], id="later: current and previous year instead of 26"),
        pytest.param(ago(days=1), 0, ALL, id="0: everything, always"),
        pytest.param(ago(days=729), 730, [2024, 2025], id="two years not reached"),
        pytest.param(ago(days=731), 730, ALL, id="two years passed"),
        pytest.param(ago(days=89), 90, [2024, 2025], id="three months not reached"),
        pytest.param(ago(days=91), 90, ALL, id="three months passed"),
        pytest.param(ago(days=365), 365, [2024, 2025], id="exactly the age is not over it"),
        pytest.param(ago(days=1).replace(tzinfo=None), 365, [2024, 2025], id="a naive time is UTC"),
    ],
)
def test_years(last_run: datetime | None, max_age_days: float, expected: list[int]) -> None:
    assert get_years_to_fetch(2000, 2025, last_run, max_age_days, now=NOW) == expected


def test_years_of_the_past_only_are_not_due_again() -> None:
    assert get_years_to_fetch(2000, 2010, ago(days=1), 365, now=NOW) == []


def test_years_by_their_own_age() -> None:
    """The last run of a daily collector is always recent; the time of each year decides when it is read again."""
    runs = {year: ago(days=1) for year in ALL}
    runs[2003] = ago(days=400)
    del runs[2011]
    assert get_years_to_fetch(2000, 2025, runs, 365, now=NOW) == [2003, 2011, 2024, 2025]
    assert not should_fetch_year(2004, runs, 365, now=NOW)


def test_the_clock_is_now_when_not_given() -> None:
    this_year = datetime.now(UTC).year
    assert get_years_to_fetch(2000, this_year, datetime.now(UTC)) == [this_year - 1, this_year]


def test_nonsense_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="start_year 2026 is after end_year 2000"):
        get_years_to_fetch(2026, 2000, None)
    with pytest.raises(ConfigurationError, match="max_age_days is -1"):
        get_years_to_fetch(2000, 2001, None, -1)


SEASONS = [SeasonSpan(100 + year, 8, year == 2025, date(year, 8, 1)) for year in range(2019, 2026)]


def due(last_runs: dict[int, datetime] | datetime | None, **kwargs: object) -> list[int]:
    return [s.season_id - 100 for s in get_seasons_to_fetch(SEASONS, last_runs, now=NOW, **kwargs)]  # type: ignore[arg-type]


def test_ranks_count_back_from_the_current_season_of_each_league() -> None:
    other = [
        SeasonSpan(1, 9, False, date(2024, 1, 1)),
        SeasonSpan(2, 9, True, date(2025, 1, 1)),
        SeasonSpan(3, 9, False, date(2026, 1, 1)),  # announced, not begun
        SeasonSpan(7, 10, False, None),
        SeasonSpan(8, 10, False, None),  # no dates, no current season: the newest id leads
    ]
    ranks = season_ranks([*SEASONS, *other])
    assert [ranks[100 + year] for year in range(2019, 2026)] == [6, 5, 4, 3, 2, 1, 0]
    assert (ranks[3], ranks[2], ranks[1]) == (0, 0, 1)
    assert (ranks[8], ranks[7]) == (0, 1)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(hours=2), []),
        (timedelta(hours=23, minutes=40), [2024, 2025]),  # the same hour the next day
        (timedelta(days=3), [2024, 2025]),
        (timedelta(days=6, hours=23), [2023, 2024, 2025]),
        (timedelta(days=29), [2023, 2024, 2025]),
        (timedelta(days=30), list(range(2019, 2026))),
    ],
)
def test_seasons_daily_weekly_monthly(age: timedelta, expected: list[int]) -> None:
    assert due({s.season_id: NOW - age for s in SEASONS}) == expected
    assert due(NOW - age) == expected


def test_a_fetch_before_the_clock_was_set_back_is_not_believed() -> None:
    ahead = NOW + timedelta(days=2)
    assert due({s.season_id: ahead for s in SEASONS}) == [2024, 2025]
    assert due({s.season_id: NOW + timedelta(days=40) for s in SEASONS}) == list(range(2019, 2026))
    assert should_fetch_year(2001, NOW + timedelta(days=31), 30, now=NOW)
    assert not should_fetch_year(2001, NOW + timedelta(days=29), 30, now=NOW)


def test_a_season_never_fetched_is_due_and_zero_is_everything() -> None:
    runs = {s.season_id: ago(hours=1) for s in SEASONS if s.season_id != 2120}
    assert due(runs) == [2020]
    assert due(runs, max_age_days=0) == list(range(2019, 2026))
    assert due(None) == list(range(2019, 2026))


def test_the_sweeps_are_settings() -> None:
    runs = {s.season_id: ago(days=2) for s in SEASONS}
    assert due(runs, sweeps=(Sweep("hourly", 1 / 24, 1),)) == [2025]
    assert due(runs, max_age_days=2) == list(range(2019, 2026))
    assert due(runs, max_age_days=90) == [2024, 2025]
    assert [(sweep.name, sweep.seasons) for sweep in SWEEPS] == [
        ("daily", 2),
        ("weekly", 3),
        ("monthly", None),
    ]
