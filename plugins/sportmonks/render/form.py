"""The trigger form of a league DAG: types, choices, bounds and help texts."""

from __future__ import annotations

from airflow.sdk import Param

from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League
from sportmonks.planning.run_params import season_labels


def league_params(league: League, settings: TaskSettings) -> dict[str, Param]:
    """Every parameter of a run. Airflow refuses what does not fit, naming the parameter."""
    labels = list(season_labels(league))
    ids = [str(season.id) for season in league.seasons]
    collect = settings.collect
    return {
        "seasons": Param(
            [],
            type="array",
            items={"type": ["string", "integer"], "enum": [*labels, *ids, *(season.id for season in league.seasons)]},
            examples=labels,
            title="Seasons",
            description="Seasons to collect. Empty: all that have something due.",
        ),
        "date_from": Param(
            None, type=["null", "string"], format="date", title="From", description="First day of kick-offs (UTC)."
        ),
        "date_to": Param(
            None, type=["null", "string"], format="date", title="To", description="Last day of kick-offs (UTC)."
        ),
        "batch_size": Param(
            collect.batch_size,
            type="integer",
            minimum=1,
            maximum=collect.max_batch_size,
            title="Batch size",
            description=f"Fixtures per API call, 1 to {collect.max_batch_size}.",
        ),
        "min_fixtures": Param(
            1,
            type="integer",
            minimum=1,
            title="Least fixtures per season",
            description="Seasons with fewer due fixtures are left out.",
        ),
        "max_chunks": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Most seasons",
            description="Only this many seasons, those of highest priority.",
        ),
        "max_fixtures": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Most fixtures",
            description="Only this many fixtures, those of highest priority.",
        ),
        "includes": Param(
            None,
            type=["null", "array"],
            items={"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9_.]*(:[a-z0-9_,]+)?$"},
            examples=list(league.includes),
            title="Includes",
            description=f"Empty: {', '.join(league.includes)}.",
        ),
        "force": Param(False, type="boolean", title="Force", description="Read again what is not due, too."),
        "continue_from_checkpoint": Param(
            True,
            type="boolean",
            title="Continue",
            description="A forced collection that stopped goes on where it was.",
        ),
        "clear_checkpoint": Param(
            False, type="boolean", title="Clear checkpoints", description="Forget where the chosen seasons stood."
        ),
        "dry_run": Param(
            False, type="boolean", title="Dry run", description="Only the estimate: fixtures, calls, minutes."
        ),
        "track_performance": Param(
            False, type="boolean", title="Track performance", description="A metric per call, not only sums."
        ),
        "export_metrics": Param(
            False, type="boolean", title="Export metrics", description="The run's result carries its metrics."
        ),
    }
