"""Which events a season's task reports."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from sportmonks.operators.asset_events import league_assets, report_season
from sportmonks.warehouse.queries import sql


class Event(SimpleNamespace):
    def add_partitions(self, key: str) -> None:
        self.key = key


class Events(defaultdict[str, Event]):
    """By the asset's name, because assets of Airflow 3.1.0 have no hash."""

    def __getitem__(self, asset: Any) -> Event:
        return super().__getitem__(asset.name)


def test_an_event_names_season_and_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sportmonks.operators.asset_events.HAS_PARTITIONS", True)
    events = Events(Event)
    task: Any = SimpleNamespace(outlets=league_assets("la_liga"))
    report_season({"outlet_events": events}, task, 23614, 12, 2)  # type: ignore[typeddict-item]
    league, seasons = task.outlets
    extra = {"season_id": 23614, "saved": 12, "changed": 2}
    assert (league.name, seasons.name) == ("football.fixtures.la_liga", "football.seasons.la_liga")
    assert vars(events[league]) == {"extra": extra}
    assert vars(events[seasons]) == {"extra": extra, "key": "23614"}


def test_without_news_there_is_no_outlet_and_before_3_3_no_second_asset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sportmonks.operators.asset_events.HAS_PARTITIONS", False)
    task: Any = SimpleNamespace(outlets=league_assets("la_liga"))
    assert [asset.name for asset in task.outlets] == ["football.fixtures.la_liga"]
    report_season({}, task, 23614, 0, 0)  # type: ignore[typeddict-item]
    assert task.outlets == []


def test_news_of_a_season_count_from_its_last_complete_collection(warehouse: psycopg.Connection[Any]) -> None:
    """New, changed, deleted since then; neither what was stored before nor what another season has."""
    warehouse.execute(
        "INSERT INTO etl.chunks (league_id, season_id, last_collected_at)"
        " VALUES (8, 1, '2026-03-01 12:00+00'), (8, 2, NULL)"
    )
    rows = [
        (1, 1, "2026-03-01 11:00", "2026-03-01 11:00", None),
        (2, 1, "2026-03-01 13:00", "2026-03-01 13:00", None),
        (3, 1, "2026-02-01 11:00", "2026-03-01 13:00", None),
        (4, 1, "2026-02-01 11:00", "2026-02-01 11:00", "2026-03-02 00:00"),
        (5, 2, "2026-01-01 11:00", "2026-01-01 11:00", None),
    ]
    for fixture, season, first, changed, deleted in rows:
        warehouse.execute(
            "INSERT INTO football.fixtures (id, league_id, season_id, first_fetched_at, last_changed_at, deleted_at,"
            " collection_status) VALUES (%s, 8, %s, %s, %s, %s, %s)",
            (fixture, season, first, changed, deleted, "DELETED" if deleted else "COLLECTED"),
        )
    for season, expected in ((1, (3, 2)), (2, (1, 0))):
        found = warehouse.execute(sql("plan/season_news"), {"league_id": 8, "season_id": season}).fetchone()
        assert found == expected
