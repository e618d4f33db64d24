"""What the user chooses in ``include/catalog.yaml``, as typed structures. Times are UTC."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import msgspec

from sportmonks.config.settings import DEFAULT_INCLUDES
from sportmonks.errors import ConfigurationError


class CollectSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a chunk is collected."""

    batch_size: int = 50
    max_batch_size: int = 50  # what /fixtures/multi takes; the documented maximum is 50
    fetchers: int = 1
    writers: int = 1
    in_flight: int = 2  # batches asked for but not committed yet; what a kill can cost at most


class RecheckSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ladder of re-reads; hours after the end of a match."""

    schedule_hours: tuple[float, ...] = (1, 24, 168, 720)
    quiet_reads: int = 2  # unchanged re-reads after which only the first day's schedule and the last are kept
    max_age_days: int = 365  # slow sweep behind the ladder; 0 = everything is always due
    match_hours: float = 2.0  # from kick-off to the end, where no period tells it
    live_minutes: float = 1.0
    waiting_hours: float = 1.0  # should be over but is not; awaiting updates, delayed, interrupted
    unsettled_hours: float = 24.0  # postponed, suspended, to be announced, unknown state
    failed_hours: float = 1.0  # after a failed or missing read; doubles with each further one
    failed_max_hours: float = 168.0


class GuardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a poorer payload is held back, and how often it, or a bare first one, is asked for again."""

    keep_share: float = 0.5  # a section that shrinks below this share of its rows is suspicious
    min_rows: int = 4  # sections that small may lose rows freely, but not all of them
    rereads: int = 3  # equal re-reads that make it believable
    hours: float = 1.0  # between them


class BudgetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the hourly calls are shared."""

    reserve: float = 0.1  # share kept for live and daily work while a backfill runs
    max_inline_wait_seconds: float = 30.0  # longer waits free the worker slot
    default_limit: int = 2000
    window_seconds: int = 3600

    def for_client(self) -> dict[str, float]:
        """The settings by the names of ``sportmonks.api.budget.PostgresBudget``."""
        return {
            "reserve": self.reserve,
            "max_inline_wait": self.max_inline_wait_seconds,
            "default_limit": self.default_limit,
            "window": self.window_seconds,
        }


class SweepSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which seasons' indexes and lists a scheduled run reads; counted from the current season back."""

    daily_seasons: int = 2
    weekly_seasons: int = 3
    all_days: int = 30
    structure_seasons_per_run: int = 40  # per list; a first run would take an hour otherwise. 0 = none


class LeagueChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One league with settings of its own."""

    id: int
    schedule: str | msgspec.UnsetType | None = msgspec.UNSET
    includes: tuple[str, ...] | None = None
    deadline_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The ``alerts:`` section of the catalog. A limit is the last value that is still fine."""

    error_rate_percent: float = 5.0
    duration_minutes: float = 60.0
    success_rate_percent: float = 90.0
    consecutive_failures: float = 3.0
    stale_hours: float = 36.0
    dead_after_minutes: float = 15.0  # silence after which Airflow is asked about the run
    keep_logs_days: float = 30.0
    keep_metrics_days: float = 90.0  # collectors' runs, too, but those that tell where one stands
    keep_plans_days: float = 60.0  # fixtures of finished runs, and answers that nobody stored; the figures stay
    keep_alerts_days: float = 365.0

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any] | None) -> Thresholds:
        """Defaults with ``values`` over them. Raises ConfigurationError that names an unknown or senseless dial."""
        known = [entry.name for entry in fields(cls)]
        for name, value in (values or {}).items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
                raise ConfigurationError(f"alerts.{name}: there is no such dial.", hint=hint)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
                raise ConfigurationError(f"alerts.{name} is {value!r}.", hint="Write a number of 0 or more.")
            if name == "consecutive_failures" and value < 1:
                raise ConfigurationError(f"alerts.{name} is {value!r}.", hint="Write a whole number of 1 or more.")
        return cls(**{name: float(value) for name, value in (values or {}).items()})

    def parameters(self) -> dict[str, float]:
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


class TaskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the catalog that tasks need, carried by the manifest."""

    retries: int = 2
    retry_delay_seconds: int = 60
    collect: CollectSettings = CollectSettings()
    recheck: RecheckSettings = RecheckSettings()
    guard: GuardSettings = GuardSettings()
    budget: BudgetSettings = BudgetSettings()
    sweep: SweepSettings = SweepSettings()
    alerts: dict[str, float] = {}


class Catalog(TaskSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``include/catalog.yaml`` whole."""

    leagues: Literal["all"] | tuple[int | LeagueChoice, ...] = "all"
    daily_at: str = "05:00"
    stagger_minutes: int = 2
    deadline_minutes: int = 60
    includes: tuple[str, ...] = DEFAULT_INCLUDES

    def choice(self, league_id: int) -> LeagueChoice:
        """The league's own settings, empty ones where it has none."""
        if self.leagues != "all":
            for entry in self.leagues:
                if isinstance(entry, LeagueChoice) and entry.id == league_id:
                    return entry
        return LeagueChoice(id=league_id)

    def league_ids(self) -> tuple[int, ...] | None:
        """Ids to follow, None for every league of the plan."""
        if self.leagues == "all":
            return None
        return tuple(entry if isinstance(entry, int) else entry.id for entry in self.leagues)
