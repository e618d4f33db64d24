"""What a route is, as plain structures. Paths into JSON are dotted in YAML and tuples of keys here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from sportmonks.config.strict_yaml import JsonPath
from sportmonks.routes.names import run_name, table_name

Style = Literal["page", "cursor", "next", "offset", "none"]


@dataclass(frozen=True)
class PagingSpec:
    """How the API pages.

    ``more``: path of a flag; ``total``: path of the number of rows; ``next``: path of the next cursor or link, or
    ``header.link`` for the Link header. Without ``more`` and ``total``, pages end with the first one that is empty
    or shorter than one before it.
    """

    style: Style = "none"
    parameter: str = ""
    first: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    size_parameter: str | None = None
    size: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    more: JsonPath | None = None
    total: JsonPath | None = None
    next: JsonPath | None = None
    drop_with_cursor: tuple[str, ...] = ()
    # Rows that page numbers can reach; then the cursor takes over.
    cursor_after: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    cursor_parameter: str = "cursor"
    stop_on_repeat: bool = False
    max_pages: Annotated[int, Meta(ge=1, le=10_000_000)] = 100_000


@dataclass(frozen=True)
class PeriodSpec:
    """The API's own names and format for a period; both days are inside it.

    ``format``: strftime, or ``epoch``, ``epoch_ms``, ``iso``. A format with a time of day gets 00:00:00 and
    23:59:59 (or the next day's 00:00:00 with ``to_exclusive``).
    """

    date_from: str
    date_to: str
    format: str = "%Y-%m-%d"
    max_days: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    first_days: Annotated[int, Meta(ge=0, le=100_000)] = 30  # reach of the very first run
    lookback_days: Annotated[int, Meta(ge=0, le=10_000)] = 2  # read again by scheduled runs, for what came late
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
    paging: PagingSpec = field(default_factory=PagingSpec)
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
    start_date: date | None = None  # without one, a new route waits for its next scheduled time
    retries: Annotated[int, Meta(ge=0, le=20)] = 2
    deadline_minutes: Annotated[float, Meta(ge=1, le=10_080)] | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    file: str = ""

    @property
    def table(self) -> str:
        """Name within schema raw."""
        return table_name(self.client, self.route)

    @property
    def name(self) -> str:
        """The DAG's and the collector's name."""
        return run_name(self.client, self.route)

    @property
    def key_paths(self) -> list[str] | None:
        return [".".join(path) for path in self.key] or None
