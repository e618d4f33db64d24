"""A payload whose values fit the typed columns: what does not fit becomes null. Used only when a batch needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sportmonks.coerce import as_int
from sportmonks.load.summary import as_utc

Cast = Callable[[Any], Any]


def _int(value: Any) -> int | None:
    number = as_int(value)
    return number if number is not None and abs(number) < 2**31 else None


def _bool(value: Any) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def _text(value: Any) -> Any:
    return value.replace("\x00", "") if isinstance(value, str) else value


def _time(value: Any) -> str | None:
    parsed = as_utc(value)
    return parsed.strftime("%Y-%m-%d %H:%M:%S") if parsed else None


_BIG = "id fixture_id league_id season_id stage_id round_id group_id aggregate_id venue_id state_id type_id sub_type_id"
_BIG += " participant_id player_id related_player_id coach_id period_id team_id position_id lineup_id country_id"
_BIG += " started ended"
_SMALL = "length goals minute extra_minute sort_order jersey_number formation_position counts_from time_added minutes"
_SMALL += " founded position"
_FLAGS = "placeholder has_odds has_premium_odds injured on_bench rescinded ticking winner"
_CASTS: dict[str, Cast] = {
    **dict.fromkeys(_BIG.split(), as_int),
    **dict.fromkeys(_SMALL.split(), _int),
    **dict.fromkeys(_FLAGS.split(), _bool),
    "starting_at": _time,
}
_LISTS = ("participants", "scores", "events", "lineups", "statistics", "periods", "details")
_OBJECTS = ("score", "meta")


def clean(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with every typed field castable; lists lose elements that are no objects."""
    found = _clean(payload)
    if isinstance(payload.get("details"), str):
        found["details"] = _text(payload["details"])  # the fixture's own is a text, a lineup's a list
    return found


def _clean(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in row.items():
        if key in _LISTS:
            found[key] = [_clean(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else None
        elif key in _OBJECTS:
            found[key] = _clean(value) if isinstance(value, dict) else None
        elif key in _CASTS:
            found[key] = _CASTS[key](value)
        else:
            found[key] = _text(value)
    return found
