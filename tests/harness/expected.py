"""What the typed tables should hold for a payload: an independent implementation, without the SQL of the loader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

Rows = dict[tuple[int, ...], tuple[Any, ...]]
VOLATILE = frozenset({"last_processed_at", "last_played_at", "standings_recalculated_at"})

COLUMNS: dict[str, tuple[str, str]] = {
    "fixture_participants": ("team_id", "location winner position name"),
    "fixture_scores": ("id", "type_id participant_id goals participant description"),
    "fixture_events": (
        "id",
        "period_id participant_id type_id sub_type_id player_id related_player_id coach_id player_name"
        " related_player_name result info addition minute extra_minute injured on_bench rescinded sort_order section",
    ),
    "fixture_lineups": (
        "id",
        "player_id team_id position_id type_id formation_field formation_position player_name jersey_number",
    ),
    "fixture_player_statistics": ("id", "lineup_id player_id team_id type_id value value_text"),
    "fixture_statistics": ("id", "type_id participant_id location value value_text"),
    "fixture_periods": (
        "id",
        "type_id description started_at ended_at counts_from ticking sort_order time_added minutes",
    ),
}
FIXTURE = (
    "league_id season_id stage_id round_id group_id aggregate_id venue_id state_id name starting_at result_info leg"
    " details length placeholder has_odds has_premium_odds"
)


def section_rows(table: str, payload: dict[str, Any]) -> Rows:
    """Expected rows of one table: (fixture id, key) -> values in the order of COLUMNS."""
    fixture_id = payload["id"]
    names = COLUMNS[table][1].split()
    return {(fixture_id, key): tuple(row.get(name) for name in names) for key, row in _SOURCES[table](payload)}


def fixture_row(payload: dict[str, Any]) -> tuple[Any, ...]:
    """Expected values of FIXTURE's columns, then home and away team and goals."""
    base = {**payload, "starting_at": _time(payload["starting_at"])}
    sides = {row["meta"]["location"]: row["id"] for row in payload["participants"]}
    goals = {
        row["score"]["participant"]: row["score"]["goals"]
        for row in payload["scores"]
        if row["description"] == "CURRENT"
    }
    row = tuple(base.get(name) for name in FIXTURE.split())
    return (*row, sides.get("home"), sides.get("away"), goals.get("home"), goals.get("away"))


def is_complete(payload: dict[str, Any]) -> bool:
    """Whether a payload was requested with every section, and no accident has left something else in place of a row."""
    for name in ("participants", "scores", "events", "lineups", "statistics", "periods"):
        rows = payload.get(name)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return False
    return all(isinstance(row.get("details"), list) for row in payload["lineups"])


def normal(value: Any) -> Any:
    """A payload without order and without volatile values: equal content has equal values."""
    if isinstance(value, list):
        return sorted((normal(item) for item in value), key=repr)
    if isinstance(value, dict):
        return {key: normal(value[key]) for key in sorted(value) if key not in VOLATILE}
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return float(value)


def plain(value: Any) -> Any:
    """A value of a column in a form that compares with the value of a payload."""
    if isinstance(value, bool) or value is None or isinstance(value, str | datetime):
        return value
    return round(float(value), 6)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _epoch(value: int | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


def _valued(row: dict[str, Any]) -> dict[str, Any]:
    value = row["data"]["value"]
    number = isinstance(value, int | float)
    return {**row, "value": float(value) if number else None, "value_text": None if number else value}


def _participants(payload: dict[str, Any]) -> Iterable[tuple[int, dict[str, Any]]]:
    for row in payload["participants"]:
        yield row["id"], {**row["meta"], "name": row["name"]}


def _scores(payload: dict[str, Any]) -> Iterable[tuple[int, dict[str, Any]]]:
    for row in payload["scores"]:
        yield row["id"], {**row, **row["score"]}


def _details(payload: dict[str, Any]) -> Iterable[tuple[int, dict[str, Any]]]:
    for entry in payload["lineups"]:
        for row in entry["details"]:
            yield row["id"], _valued(row)


def _periods(payload: dict[str, Any]) -> Iterable[tuple[int, dict[str, Any]]]:
    for row in payload["periods"]:
        yield row["id"], {**row, "started_at": _epoch(row["started"]), "ended_at": _epoch(row["ended"])}


_SOURCES: dict[str, Any] = {
    "fixture_participants": _participants,
    "fixture_scores": _scores,
    "fixture_events": lambda payload: ((row["id"], row) for row in payload["events"]),
    "fixture_lineups": lambda payload: ((row["id"], row) for row in payload["lineups"]),
    "fixture_player_statistics": _details,
    "fixture_statistics": lambda payload: ((row["id"], _valued(row)) for row in payload["statistics"]),
    "fixture_periods": _periods,
}
