"""A route and its period as plain structures. A path into JSON is dotted text in YAML and a tuple of keys here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from sportmonks.api.pagination import PageSpec
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.routes.names import run_name, table_name


@dataclass(frozen=True)
class PeriodSpec:
    """The API's names and format for a period; the period includes both days.

    ``format``: strftime, or ``epoch``, ``epoch_ms``, ``iso``. A format with a time of day gets 00:00:00 and
    23:59:59 (or the next day's 00:00:00 with ``to_exclusive``).
    """

    date_from: str
    date_to: str
    format: str = "%Y-%m-%d"
    max_days: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    first_days: Annotated[int, Meta(ge=0, le=100_000)] = 30  # days that the first run covers
    # Days that scheduled runs read again, for records that came late.
    lookback_days: Annotated[int, Meta(ge=0, le=10_000)] = 2
    lookahead_days: Annotated[int, Meta(ge=0, le=10_000)] = 0
    to_exclusive: bool = False


@dataclass(frozen=True)
class Route:
    """One YAML file of ``include/routes``."""

    client: str
    route: str
    connection: str
    path: str
    api: Literal["sportmonks", "rest"] = "rest"
    auth: str = "auto"  # auto, none, bearer, basic, or the name of a header
    query: tuple[tuple[str, str], ...] = ()
    include: tuple[str, ...] = ()
    entity: str | None = None
    paging: PageSpec = field(default_factory=PageSpec)
    records: JsonPath = ("data",)
    missing_records: Literal["error", "empty"] = "error"
    period: PeriodSpec | None = None
    date_field: JsonPath | None = None
    date_format: str | None = None
    undated: Literal["keep", "drop"] = "keep"
    key: tuple[JsonPath, ...] = ()
    hash_without: tuple[JsonPath, ...] = ()
    for_each: str | None = None
    for_each_columns: tuple[str, ...] = ()
    retry_max: Annotated[int, Meta(ge=0, le=50)] = 5
    batch_export: Annotated[int, Meta(ge=1, le=100_000)] = 50
    queue_pages: Annotated[int, Meta(ge=1, le=1000)] = 4
    resume_hours: Annotated[float, Meta(ge=0, le=10_000)] = 24.0
    timeout_seconds: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    schedule: str | None = None
    start_date: date | None = None  # None: a new route waits for its next scheduled time
    retries: Annotated[int, Meta(ge=0, le=20)] = 2
    deadline_minutes: Annotated[float, Meta(ge=1, le=10_080)] | None = None
    execution_timeout_minutes: Annotated[int, Meta(ge=10, le=10_080)] = 1440  # of a try of the extraction
    description: str = ""
    tags: tuple[str, ...] = ()
    file: str = ""

    @property
    def table(self) -> str:
        """The table's name within schema raw."""
        return table_name(self.client, self.route)

    @property
    def name(self) -> str:
        """The DAG's and the collector's name."""
        return run_name(self.client, self.route)

    @property
    def key_paths(self) -> list[str] | None:
        """The paths of ``key`` as dotted text; None when the route has no key."""
        return [".".join(path) for path in self.key] or None
