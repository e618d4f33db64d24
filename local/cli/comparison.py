"""Reads fixtures of a season in calls of different sizes, and shows calls, seconds and bytes side by side."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.cli.console import out, seconds
from local.cli.output import make_table
from local.errors import LocalError, UsageError

if TYPE_CHECKING:
    import msgspec

    from local.stack.stack import Stack
    from sportmonks.api.calls import CallRecord
    from sportmonks.api.client import SportmonksClient
    from sportmonks.config.manifest import League, Season


@dataclass(frozen=True)
class MeasuredChunk:
    """A season with the ids of its fixtures, the oldest first, so that those that were played come first."""

    league: League
    season: Season
    fixture_ids: tuple[int, ...]
    includes: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """What reading fixtures in calls of ``size`` cost: calls with retries, seconds, bytes; ``rows`` by fixture id."""

    label: str
    size: int
    requested: int
    calls: int
    seconds: float
    bytes: int
    rows: dict[int, msgspec.Raw] = field(repr=False)

    def document(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "batch_size": self.size,
            "requested": self.requested,
            "fixtures": len(self.rows),
            "calls": self.calls,
            "seconds": round(self.seconds, 3),
            "bytes": self.bytes,
        }


def client_of(stack: Stack, *, verbose: bool = False) -> SportmonksClient:
    """A client of the configured API. It shares the budget of the tasks; ``verbose`` prints a line per call."""
    from sportmonks.api.budget import PostgresBudget
    from sportmonks.api.client import SportmonksClient
    from sportmonks.config.settings import API_CONN_ID
    from sportmonks.warehouse.connection import open_connection

    def shown(call: CallRecord) -> None:
        out.print(f"  {call.entity}: HTTP {call.status or 'none'} in {call.seconds * 1000:.0f} ms", markup=False)

    ends = stack.endpoints()
    return SportmonksClient(
        ends.api_url,
        ends.api_key,
        budget=PostgresBudget(lambda: open_connection(stack.warehouse, autocommit=True), API_CONN_ID),
        on_call=shown if verbose else None,
    )


def choose(
    client: SportmonksClient, leagues: Sequence[League], league_id: int | None, season_id: int | None, wanted: int
) -> MeasuredChunk:
    """The season to read: the one that is named, else the newest with at least ``wanted`` fixtures.

    Raises UsageError for an id that is not followed, LocalError when no season has a fixture.
    """
    chosen = [league for league in leagues if league_id in (None, league.id)]
    if not chosen:
        listed = ", ".join(f"{league.name} ({league.id})" for league in leagues[:10])
        raise UsageError(f"--league-id {league_id} is not followed", hint=f"followed: {listed}")
    pairs = [(league, season) for league in chosen for season in league.seasons if season_id in (None, season.id)]
    if not pairs:
        listed = ", ".join(f"{season.name} ({season.id})" for season in chosen[0].seasons[:10])
        raise UsageError(f"--season-id {season_id} is no season of a league here", hint=f"{chosen[0].name}: {listed}")
    best: MeasuredChunk | None = None
    for league, season in pairs:
        if best is not None and league is not best.league:
            break
        rows = [row for page in client.season_index(season.id) for row in page]
        ids = tuple(row["id"] for row in sorted(rows, key=lambda row: (str(row.get("starting_at")), row["id"])))
        if best is None or len(ids) > len(best.fixture_ids):
            best = MeasuredChunk(league, season, ids, league.includes)
        if len(ids) >= wanted:
            break
    if best is None or not best.fixture_ids:
        raise LocalError("the season has no fixtures yet", hint="choose another one with --league-id and --season-id")
    return best


def read(client: SportmonksClient, chunk: MeasuredChunk, ids: Sequence[int], size: int) -> Reading:
    """Read these fixtures in calls of ``size``, one call after the other."""
    rows: dict[int, msgspec.Raw] = {}
    calls = received = 0
    begun = time.perf_counter()
    for start in range(0, len(ids), size):
        response = client.fixtures_multi(ids[start : start + size], chunk.includes)
        rows.update(response.rows)
        calls, received = calls + response.calls, received + response.bytes
    label = "one by one" if size == 1 else f"{size} per call"
    return Reading(label, size, len(ids), calls, time.perf_counter() - begun, received, rows)


@dataclass(frozen=True)
class Comparison:
    """Both readings, fixtures whose payloads differ, and those that came in one of the two only."""

    readings: tuple[Reading, Reading]
    differ: tuple[int, ...]
    absent: tuple[int, ...]

    @property
    def same(self) -> bool:
        return not self.differ and not self.absent

    def document(self) -> dict[str, Any]:
        one, many = self.readings
        return {
            "calls_ratio": round(one.calls / many.calls, 2),
            "speed_ratio": round(one.seconds / many.seconds, 2),
            "same": self.same,
            "changed": list(self.differ),
            "missing_in_one": list(self.absent),
        }


def compare(client: SportmonksClient, chunk: MeasuredChunk, ids: Sequence[int], size: int) -> bool:
    """Read the fixtures one by one and in batches; show both, and whether each fixture came the same both times."""
    return compared(client, chunk, ids, size).same


def compared(client: SportmonksClient, chunk: MeasuredChunk, ids: Sequence[int], size: int) -> Comparison:
    """The same with all that was found."""
    from sportmonks.load.content_hash import hash_sorted

    one, many = read(client, chunk, ids, 1), read(client, chunk, ids, size)
    show([one, many])
    both = one.rows.keys() & many.rows.keys()
    # A match that is under way may have changed between the two.
    differ = sorted(key for key in both if hash_sorted(one.rows[key]) != hash_sorted(many.rows[key]))
    absent = sorted(set(ids) - both)
    out.print(
        f"batches: {one.calls / many.calls:.1f} times fewer calls, {one.seconds / many.seconds:.1f} times as fast;"
        f" {len(both) - len(differ)} of {len(ids)} fixtures are the same both times"
    )
    for name, found in (("changed meanwhile", differ), ("missing in one of the two", absent)):
        if found:
            out.print(f"{name}: {', '.join(map(str, found[:10]))}")
    return Comparison((one, many), tuple(differ), tuple(absent))


def show(readings: Sequence[Reading]) -> None:
    """A row per reading."""
    figures = ("fixtures", "calls", "time", "fixtures/s", "ms per call", "MB")
    table = make_table("", *figures, right=figures)
    for found in readings:
        table.add_row(
            found.label,
            f"{len(found.rows)} of {found.requested}",
            str(found.calls),
            seconds(found.seconds),
            f"{len(found.rows) / found.seconds:.1f}",
            f"{found.seconds / found.calls * 1000:.0f}",
            f"{found.bytes / 1e6:.1f}",
        )
    out.print(table)
