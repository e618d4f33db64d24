"""The parameters of a league run: one description of them, and how a run reads their values.

``RunRequest`` describes each parameter: its type, bounds, default, title and help text. The trigger form
(``planning.form``) is made from it, and ``read_params`` checks with it what a run was triggered with.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from sportmonks.coerce import as_int
from sportmonks.config.catalog import TaskSettings
from sportmonks.config.conversion import convert, fields_of, near_hint
from sportmonks.config.manifest import League
from sportmonks.config.settings import parse_includes
from sportmonks.errors import ConfigurationError
from sportmonks.planning.chunks import RunFilter

Count = Annotated[int, Meta(ge=1)]
_EMPTY = "Empty: no limit; in a run of Airflow's Backfill, the days of that run."


class RunRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run can be triggered with, in the order of the form. An empty value means the default."""

    seasons: Annotated[
        tuple[str | int, ...],
        Meta(title="Seasons", description="Seasons to collect. Empty: every season with something to read."),
    ] = ()
    date_from: Annotated[date | None, Meta(title="Kick-off from", description=f"First day (UTC). {_EMPTY}")] = None
    date_to: Annotated[date | None, Meta(title="Kick-off until", description=f"Last day (UTC). {_EMPTY}")] = None
    includes: Annotated[
        tuple[str, ...] | None,
        Meta(title="Data of each fixture", description="Includes to request. Empty: the league's."),
    ] = None
    max_fixtures: Annotated[
        Count | None,
        Meta(title="At most so many fixtures", description="The most important ones first. Empty: no limit."),
    ] = None
    max_chunks: Annotated[
        Count | None,
        Meta(title="At most so many seasons", description="The most important ones first. Empty: no limit."),
    ] = None
    min_fixtures: Annotated[
        Count,
        Meta(title="Leave out small seasons", description="Seasons with fewer fixtures to read than this wait."),
    ] = 1
    batch_size: Annotated[Count, Meta(title="Fixtures per API call", description="Fixtures per API call.")]
    dry_run: Annotated[
        bool, Meta(title="Estimate only", description="Collect nothing; say how many fixtures, calls and minutes.")
    ] = False
    force: Annotated[
        bool, Meta(title="Read everything again", description="Also fixtures that do not need it yet.")
    ] = False
    continue_from_checkpoint: Annotated[
        bool,
        Meta(title="Go on where it stopped", description="For a run that reads everything again and was interrupted."),
    ] = True
    clear_checkpoint: Annotated[
        bool, Meta(title="Begin from the start", description="Forget where the chosen seasons stopped.")
    ] = False
    track_performance: Annotated[
        bool, Meta(title="Detailed timings", description="Store a metric for each call, not only sums.")
    ] = False
    export_metrics: Annotated[
        bool, Meta(title="Metrics in the result", description="The result of the run contains its metrics.")
    ] = False


NAMES = tuple(fields_of(RunRequest))


@dataclass(frozen=True, slots=True)
class RunParams:
    """A league run's parameters, checked and with the league's defaults filled in."""

    run_filter: RunFilter
    batch_size: int
    includes: tuple[str, ...]
    continue_from_checkpoint: bool
    clear_checkpoint: bool
    dry_run: bool
    track_performance: bool
    export_metrics: bool


def read_params(params: Mapping[str, Any], league: League, settings: TaskSettings) -> RunParams:
    """The parameters that a run was triggered with. Raises ConfigurationError that names the wrong parameter."""
    for name in params:
        if name not in NAMES:
            # Airflow accepts any name, and a run with a misspelt dry_run would collect.
            raise ConfigurationError(f"There is no parameter {name!r}.", hint=near_hint(str(name), NAMES, "Known"))
    given = {name: _without_time(name, value) for name, value in params.items() if value is not None and value != ""}
    request = convert(RunRequest, {"batch_size": settings.collect.batch_size, **given})
    start, end, largest = request.date_from, request.date_to, settings.collect.max_batch_size
    if start and end and start > end:
        raise ConfigurationError(f"date_from {start} is after date_to {end}.", hint="Swap them, or leave one empty.")
    if request.batch_size > largest:
        hint = f"Write a whole number from 1 to {largest}, or leave it empty."
        raise ConfigurationError(f"batch_size is {request.batch_size}.", hint=hint)
    chosen = request.includes
    return RunParams(
        run_filter=RunFilter(
            seasons=_season_ids(request.seasons, league),
            date_from=start,
            date_to=end,
            min_fixtures=request.min_fixtures,
            max_chunks=request.max_chunks,
            max_fixtures=request.max_fixtures,
            force=request.force,
        ),
        batch_size=request.batch_size,
        includes=parse_includes(";".join(chosen), name="includes") if chosen else league.includes,
        continue_from_checkpoint=request.continue_from_checkpoint,
        clear_checkpoint=request.clear_checkpoint,
        dry_run=request.dry_run,
        track_performance=request.track_performance,
        export_metrics=request.export_metrics,
    )


def season_labels(league: League) -> dict[str, int]:
    """What the form shows for each season -> its id. A name that several seasons have is shown with the id."""
    names = [season.name for season in league.seasons]
    return {
        season.name if names.count(season.name) == 1 else f"{season.name} ({season.id})": season.id
        for season in league.seasons
    }


def _season_ids(entries: tuple[str | int, ...], league: League) -> tuple[int, ...]:
    labels = season_labels(league)
    known = set(labels.values())
    found = []
    for entry in entries:
        text = str(entry).strip()
        season_id = labels.get(text) or as_int(text)
        if season_id not in known:
            raise ConfigurationError(
                f"seasons: {league.name} has no season '{text}'.", hint=f"Choose from {', '.join(labels) or 'none'}."
            )
        found.append(season_id)
    return tuple(dict.fromkeys(found))


def _without_time(name: str, value: Any) -> Any:
    """A form may send a date with a time of day: only the date counts."""
    if name in ("date_from", "date_to") and isinstance(value, str):
        with suppress(ValueError):
            return datetime.fromisoformat(value).date()
    return value
