"""The parameters of a run as tasks read them: what a form cannot check alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sportmonks.config.catalog import CollectSettings, TaskSettings
from sportmonks.config.manifest import League, Season
from sportmonks.errors import ConfigurationError
from sportmonks.planning.chunks import RunFilter
from sportmonks.planning.run_params import read_params, season_labels

LEAGUE = League(
    id=8,
    name="Premier League",
    slug="premier_league",
    schedule=None,
    deadline_minutes=60,
    includes=("participants", "scores"),
    seasons=(
        Season(id=101, name="2025/2026", group="season_2025_2026", is_current=True),
        Season(id=100, name="Apertura", group="season_apertura"),
        Season(id=99, name="Apertura", group="season_apertura_99"),
    ),
)


def read(settings: TaskSettings | None = None, **params: Any) -> Any:
    return read_params(params, LEAGUE, settings or TaskSettings())


def test_no_parameters_mean_everything_due() -> None:
    found = read()
    assert found.run_filter == RunFilter()
    assert (found.batch_size, found.includes) == (50, ("participants", "scores"))
    assert found.continue_from_checkpoint
    assert not any((found.clear_checkpoint, found.dry_run, found.track_performance, found.export_metrics))


def test_every_parameter() -> None:
    found = read(
        seasons=["2025/2026", "99", 99],
        date_from="2026-01-01",
        date_to="2026-01-31T00:00:00",
        batch_size=10,
        min_fixtures=2,
        max_chunks=3,
        max_fixtures=4,
        includes=["events", "lineups.details:type_id,data"],
        force=True,
        continue_from_checkpoint=False,
        clear_checkpoint=True,
        dry_run=True,
        track_performance=True,
        export_metrics=True,
    )
    assert found.run_filter == RunFilter(
        seasons=(101, 99),
        date_from=date(2026, 1, 1),
        date_to=date(2026, 1, 31),
        min_fixtures=2,
        max_chunks=3,
        max_fixtures=4,
        force=True,
    )
    assert (found.batch_size, found.includes) == (10, ("events", "lineups.details:type_id,data"))
    assert not found.continue_from_checkpoint
    assert all((found.clear_checkpoint, found.dry_run, found.track_performance, found.export_metrics))


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": 51}, "batch_size is 51"),
        ({"batch_size": 1000}, "batch_size is 1000"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"batch_size": "many"}, "batch_size is 'many'"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"batch_size": True}, "batch_size is True"),
        ({"min_fixtures": 0}, "min_fixtures is 0"),
        ({"max_chunks": -3}, "max_chunks is -3"),
        ({"max_fixtures": 0}, "max_fixtures is 0"),
        ({"seasons": ["1999/2000"]}, "seasons: Premier League has no season '1999/2000'. Choose from 2025/2026"),
        ({"seasons": [12345]}, "has no season '12345'"),
        ({"seasons": ["²"]}, "has no season '²'"),
        ({"seasons": ["9" * 5000]}, "has no season '999"),
        ({"seasons": ["Apertura"]}, "has no season 'Apertura'. Choose from 2025/2026, Apertura (100), Apertura (99)"),
        ({"date_from": "soon"}, "date_from is 'soon'. Write a date as YYYY-MM-DD"),
        ({"date_to": "2026-02-30"}, "date_to is '2026-02-30'"),
        ({"date_to": "2026-02-03 nonsense"}, "date_to is '2026-02-03 nonsense'"),
        ({"date_from": "2026-02-02", "date_to": "2026-02-01"}, "date_from 2026-02-02 is after date_to 2026-02-01"),
        ({"includes": ["a b"]}, "includes: 'a b' is not an include"),
        ({"dry_rnu": True}, "no parameter 'dry_rnu'. Did you mean dry_run?"),
        ({"xyz": None}, "no parameter 'xyz'. Known: seasons, date_from"),
    ],
)
def test_nonsense_is_refused_by_name(params: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(**params)
    assert name in str(caught.value)
    assert caught.value.hint


def test_the_catalogs_batch_size_is_the_default_and_its_maximum_the_bound() -> None:
    settings = TaskSettings(collect=CollectSettings(batch_size=20, max_batch_size=100))
    assert read(settings).batch_size == 20
    assert read(settings, batch_size=100).batch_size == 100
    with pytest.raises(ConfigurationError, match="from 1 to 100"):
        read(settings, batch_size=101)


def test_a_name_that_stands_twice_carries_its_id() -> None:
    assert season_labels(LEAGUE) == {"2025/2026": 101, "Apertura (100)": 100, "Apertura (99)": 99}
