"""The parameters of a league run: what the trigger form offers and how the answers are read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League
from sportmonks.config.settings import parse_includes
from sportmonks.errors import ConfigurationError
from sportmonks.planning.chunks import RunFilter


@dataclass(frozen=True, slots=True)
class RunParams:
    """A league run's parameters, checked."""

    run_filter: RunFilter
    batch_size: int
    includes: tuple[str, ...]
    continue_from_checkpoint: bool
    clear_checkpoint: bool
    dry_run: bool
    track_performance: bool
    export_metrics: bool


NAMES = tuple(field.name for kind in (RunFilter, RunParams) for field in fields(kind) if field.name != "run_filter")


def read_params(params: Mapping[str, Any], league: League, settings: TaskSettings) -> RunParams:
    """Check what Airflow does not. Raises ConfigurationError naming the parameter."""
    for name in params:
        if name not in NAMES:
            # Airflow takes any name, and a misspelt dry_run would collect.
            near = difflib.get_close_matches(str(name), NAMES, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(NAMES)}."
            raise ConfigurationError(f"There is no parameter {name!r}.", hint=hint)
    start, end = _date(params, "date_from"), _date(params, "date_to")
    if start and end and start > end:
        raise ConfigurationError(f"date_from {start} is after date_to {end}.", hint="Swap them, or leave one empty.")
    size = _number(params, "batch_size", settings.collect.max_batch_size) or settings.collect.batch_size
    asked = params.get("includes")
    includes = parse_includes(";".join(asked), name="includes") if asked else league.includes
    return RunParams(
        run_filter=RunFilter(
            seasons=_seasons(params.get("seasons") or (), league),
            date_from=start,
            date_to=end,
            min_fixtures=_number(params, "min_fixtures") or 1,
            max_chunks=_number(params, "max_chunks"),
            max_fixtures=_number(params, "max_fixtures"),
            force=bool(params.get("force")),
        ),
        batch_size=size,
        includes=includes,
        continue_from_checkpoint=bool(params.get("continue_from_checkpoint", True)),
        clear_checkpoint=bool(params.get("clear_checkpoint")),
        dry_run=bool(params.get("dry_run")),
        track_performance=bool(params.get("track_performance")),
        export_metrics=bool(params.get("export_metrics")),
    )


def season_labels(league: League) -> dict[str, int]:
    """What the form shows -> season id; a name that stands twice carries its id."""
    names = [season.name for season in league.seasons]
    return {
        season.name if names.count(season.name) == 1 else f"{season.name} ({season.id})": season.id
        for season in league.seasons
    }


def _seasons(asked: Any, league: League) -> tuple[int, ...]:
    labels = season_labels(league)
    known = set(labels.values())
    found = []
    for entry in asked:
        text = str(entry).strip()
        season_id = labels.get(text) or (int(text) if text.isdigit() else None)
        if season_id not in known:
            raise ConfigurationError(
                f"seasons: {league.name} has no season '{text}'.", hint=f"Choose from {', '.join(labels) or 'none'}."
            )
        found.append(season_id)
    return tuple(dict.fromkeys(found))


def _date(params: Mapping[str, Any], name: str) -> date | None:
    value = params.get(name)
    if not value:
        return None
    try:
        # A form may hand over the time of day, too.
        return datetime.fromisoformat(str(value)).date()
    except ValueError:
        raise ConfigurationError(f"{name} is '{value}'.", hint="Write a date as YYYY-MM-DD.") from None


def _number(params: Mapping[str, Any], name: str, most: int | None = None) -> int | None:
    value = params.get(name)
    if value in (None, ""):
        return None
    whole = str(value).strip()
    if not whole.isdecimal() or int(whole) < 1 or (most is not None and int(whole) > most):
        bound = "a whole number of 1 or more" if most is None else f"a whole number from 1 to {most}"
        raise ConfigurationError(f"{name} is {value!r}.", hint=f"Choose {bound}, or leave it empty.")
    return int(whole)
