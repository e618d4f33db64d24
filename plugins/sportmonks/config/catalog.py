"""What the user chooses in ``include/catalog.yaml``, as typed structures. Times are UTC.

A field's type holds its bounds and its default stands here alone: the catalog, the manifest and the clients take both
from these classes. A constructor does not check the bounds; whatever reads values from outside does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from sportmonks.config.conversion import convert, hint
from sportmonks.config.settings import DEFAULT_INCLUDES

Minutes = Annotated[int, Meta(ge=1, le=1440)]
# Above any sensible limit, but finite.
Limit = Annotated[float, Meta(ge=0, le=999_999_999), hint("Write a number of 0 or more.")]


class CollectSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a chunk (the due fixtures of one season) is collected."""

    batch_size: Annotated[int, Meta(ge=1, le=1000)] = 50  # fixtures per call
    max_batch_size: Annotated[int, Meta(ge=1, le=1000)] = 50  # the documented maximum of /fixtures/multi is 50
    fetchers: Annotated[int, Meta(ge=1, le=8)] = 1
    writers: Annotated[int, Meta(ge=1, le=4)] = 1
    in_flight: Annotated[int, Meta(ge=1, le=32)] = 2  # batches requested but not yet committed
    typed_rows: bool = True  # rows are read here and copied; False: PostgreSQL takes all of them out of the JSON


class RecheckSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a fixture is read again; hours count from the end of the match unless a comment says otherwise."""

    schedule_hours: tuple[float, ...] = (1, 24, 168, 720)
    # Unchanged reads in a row after which only the checks of the first day and the last check are kept.
    quiet_reads: Annotated[int, Meta(ge=1, le=100)] = 2
    max_age_days: Annotated[int, Meta(ge=0, le=100_000)] = 365  # after the schedule; 0: every fixture is always due
    match_hours: Annotated[float, Meta(ge=0.5, le=12)] = 2.0  # from kick-off to the end, where no period tells it
    live_minutes: Annotated[float, Meta(ge=0, le=1440)] = 1.0  # between reads of a match that is being played
    waiting_hours: Annotated[float, Meta(ge=0.01, le=1000)] = 1.0  # between reads of a match that should have ended
    unsettled_hours: Annotated[float, Meta(ge=0.01, le=10_000)] = 24.0  # postponed, suspended, unknown state
    failed_hours: Annotated[float, Meta(ge=0.001, le=10_000)] = 1.0  # after a failed read; doubles each time
    failed_max_hours: Annotated[float, Meta(ge=0.001, le=100_000)] = 168.0


class GuardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a payload counts as degraded and is held back, and how often it has to come again to be believed."""

    keep_share: Annotated[float, Meta(ge=0, le=1)] = 0.5  # a section with less than this share of its rows is suspected
    min_rows: Annotated[int, Meta(ge=0, le=1000)] = 4  # smaller sections may lose rows, but not all of them
    rereads: Annotated[int, Meta(ge=1, le=100)] = 3  # equal reads after which the payload is stored
    hours: Annotated[float, Meta(ge=0, le=1000)] = 1.0  # between these reads


class BudgetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the calls that the API allows per window are shared."""

    reserve: Annotated[float, Meta(ge=0, le=0.9)] = 0.1  # share of the calls that only urgent work may use
    max_inline_wait_seconds: Annotated[float, Meta(ge=0, le=600)] = 30.0  # a longer wait frees the worker slot
    default_limit: Annotated[int, Meta(ge=1, le=1_000_000)] = 2000  # calls per window until the API reports its own
    window_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 3600

    def for_client(self) -> dict[str, float]:
        """The settings by the parameter names of ``sportmonks.api.budget.PostgresBudget``."""
        return {
            "reserve": self.reserve,
            "max_inline_wait": self.max_inline_wait_seconds,
            "default_limit": self.default_limit,
            "window": self.window_seconds,
        }


class SweepSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which seasons' indexes and lists a scheduled run reads; counted from the current season back."""

    daily_seasons: Annotated[int, Meta(ge=1, le=1000)] = 2
    weekly_seasons: Annotated[int, Meta(ge=1, le=1000)] = 3
    all_days: Annotated[int, Meta(ge=1, le=10_000)] = 30
    # Per list and run, because the first run would take an hour otherwise; 0: none.
    structure_seasons_per_run: Annotated[int, Meta(ge=0, le=10_000)] = 40


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of the alerts, each the last value without an alert, and how long monitoring data are kept."""

    error_rate_percent: Limit = 5.0
    duration_minutes: Limit = 60.0
    success_rate_percent: Limit = 90.0
    consecutive_failures: Annotated[float, Meta(ge=1, le=999_999_999), hint("Write a whole number of 1 or more.")] = 3.0
    stale_hours: Limit = 36.0
    stale_route_intervals: Limit = 3.0  # times between two runs of a raw route's schedule, without a success
    # Of the rows per match of the seasons before; points of the quality score (0 to 100) below theirs. 0 = no alert.
    rows_percent: Annotated[float, Meta(ge=0, le=100), hint("Write a number from 0 to 100.")] = 50.0
    quality_points: Annotated[float, Meta(ge=0, le=100), hint("Write a number from 0 to 100.")] = 20.0
    dead_after_minutes: Limit = 15.0  # without a sign of life, for executions without a DAG run
    keep_logs_days: Limit = 30.0
    keep_metrics_days: Limit = 90.0  # runs of collectors too, except those that hold a collector's position
    # Fixtures of finished runs, responses that nobody stored, positions of raw routes' runs, refusals of includes.
    keep_plans_days: Limit = 60.0
    keep_alerts_days: Limit = 365.0
    keep_executions_days: Limit = 400.0  # runs with their seasons and checks; never before their plans
    keep_rejects_days: Limit = 365.0  # records of raw routes that could not be stored
    keep_changes_days: Limit = 0.0  # what the provider corrected; 0 keeps all, here as everywhere

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any] | None) -> Thresholds:
        """Defaults with ``values`` over them. Raises ConfigurationError that names each unknown or wrong key."""
        return convert(cls, values or {}, "alerts")

    def parameters(self) -> dict[str, float]:
        """The values by name, for SQL."""
        return msgspec.structs.asdict(self)


class LeagueChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One league with settings of its own; what is not given comes from the catalog."""

    id: int
    schedule: str | msgspec.UnsetType | None = msgspec.UNSET
    includes: tuple[str, ...] | None = None
    deadline_minutes: Minutes | None = None


class TaskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the catalog that tasks need, carried by the manifest."""

    retries: Annotated[int, Meta(ge=0, le=20)] = 2
    retry_delay_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 60
    # After which a try of a task of a league counts as hung. What a deferred task waits is not counted.
    execution_timeout_minutes: Annotated[int, Meta(ge=10, le=10_080)] = 120
    collect: CollectSettings = CollectSettings()
    recheck: RecheckSettings = RecheckSettings()
    guard: GuardSettings = GuardSettings()
    budget: BudgetSettings = BudgetSettings()
    sweep: SweepSettings = SweepSettings()
    alerts: Thresholds = Thresholds()


class Catalog(TaskSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything in ``include/catalog.yaml``."""

    leagues: Annotated[
        Literal["all"] | tuple[int | LeagueChoice, ...], hint("Write leagues: all, or a list of ids.")
    ] = "all"
    daily_at: Annotated[
        str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z"), hint("Write a UTC time as HH:MM, in quotes.")
    ] = "05:00"
    stagger_minutes: Annotated[int, Meta(ge=0, le=60)] = 2
    deadline_minutes: Minutes = 60
    includes: tuple[str, ...] = DEFAULT_INCLUDES

    def choice(self, league_id: int) -> LeagueChoice:
        """The league's own settings, empty ones where it has none."""
        if self.leagues != "all":
            for entry in self.leagues:
                if isinstance(entry, LeagueChoice) and entry.id == league_id:
                    return entry
        return LeagueChoice(id=league_id)

    def league_ids(self) -> tuple[int, ...] | None:
        """Ids to follow, None for every league that the subscription covers."""
        if self.leagues == "all":
            return None
        return tuple(entry if isinstance(entry, int) else entry.id for entry in self.leagues)
