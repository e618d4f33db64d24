"""What a warehouse should hold: the expected content of fixtures, to be compared row by row."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import msgspec

from sandbox import includes
from sandbox.fixture_view import FixtureView
from sandbox.query import Node, parse_includes
from sandbox.state import Sandbox

Row = dict[str, Any]
DEFAULT_INCLUDES = "participants;scores;events;statistics;periods;lineups.details"
COUNT_STATES_UP_TO = 20_000
CACHED = 20_000  # canonical rows of fixtures that are over: they change by corrections only
VOLATILE = ("last_played_at",)
_encode = msgspec.json.Encoder(order="sorted").encode


def payload(sandbox: Sandbox, view: FixtureView, include: str = DEFAULT_INCLUDES) -> Row:
    """The fixture as the API would send it now."""
    tree: dict[str, Node] = parse_includes(include)
    return includes.attach(sandbox, "fixture", view.base(), tree, view)


def _stable(value: Any) -> Any:
    """Lists in order of id, and without values that change without a correction: equal content has equal text."""
    if isinstance(value, list):
        rows = [_stable(item) for item in value]
        return sorted(rows, key=lambda row: row.get("id", 0)) if rows and isinstance(rows[0], dict) else rows
    if isinstance(value, dict):
        return {key: _stable(item) for key, item in value.items() if key not in VOLATILE}
    return value


def content_hash(row: Row) -> str:
    """SHA-256 of the row without the clubs' last_played_at, lists by id, keys sorted."""
    return hashlib.sha256(_encode(_stable(row))).hexdigest()


def _sum(values: list[Any]) -> float:
    return round(float(sum(value for value in values if not isinstance(value, bool))), 2)


def canonical(sandbox: Sandbox, view: FixtureView, row: Row | None = None) -> Row:
    """Counts, sums and scores of one fixture with the default includes; `hash` covers all of it."""
    key = (view.id, view.state_id, view.kickoff, view.change.revision if view.change else 0)
    found = None if view.in_play else sandbox.canonical.get(key)
    if found is None:
        found = _canonical(sandbox, view, payload(sandbox, view) if row is None else row)
        if len(sandbox.canonical) >= CACHED:
            sandbox.canonical.clear()
        sandbox.canonical[key] = found
    return dict(found)


def _canonical(sandbox: Sandbox, view: FixtureView, row: Row) -> Row:
    scores: dict[str, list[int]] = {}
    for score in row["scores"]:
        pair = scores.setdefault(score["description"], [0, 0])
        pair[0 if score["score"]["participant"] == "home" else 1] = score["score"]["goals"]
    details = [detail["data"]["value"] for entry in row["lineups"] for detail in entry["details"]]
    kept = (
        "id",
        "league_id",
        "season_id",
        "stage_id",
        "round_id",
        "state_id",
        "venue_id",
        "name",
        "starting_at",
        "result_info",
    )
    return {
        **{key: row[key] for key in kept},
        "deleted": view.deleted,
        "finished": view.over,
        "home_id": view.home.id,
        "away_id": view.away.id,
        "winner": None if view.winner is None else ("home", "away", "draw")[view.winner],
        "scores": scores,
        "participants": len(row["participants"]),
        "events": len(row["events"]),
        "events_by_type": {str(k): n for k, n in sorted(Counter(event["type_id"] for event in row["events"]).items())},
        "lineups": len(row["lineups"]),
        "starters": sum(entry["type_id"] == 11 for entry in row["lineups"]),
        "details": len(details),
        "details_sum": _sum(details),
        "statistics": len(row["statistics"]),
        "statistics_sum": _sum([item["data"]["value"] for item in row["statistics"]]),
        "periods": len(row["periods"]),
        "corrections": view.change.revision if view.change else 0,
        "hash": content_hash(row),
    }


def brief(view: FixtureView) -> Row:
    base = view.base()
    return {
        "id": view.id,
        "season_id": view.season.id,
        "league_id": view.season.league.id,
        "state_id": view.state_id,
        "starting_at": base["starting_at"],
        "finished": view.over,
        "deleted": view.deleted,
    }


def summary(sandbox: Sandbox, *, states: bool | None = None) -> Row:
    """Counts in all and per season. States are counted unless the world is large (ask with `states=1`)."""
    seasons = sandbox.seasons()
    total = sum(season.size for season in seasons)
    count_states = total <= COUNT_STATES_UP_TO if states is None else states
    now = sandbox.now()
    gone = {i for i, c in sandbox.changes.items() if c.deleted_at is not None and c.deleted_at <= now}
    rows = []
    everything: Counter[str] = Counter()
    for season in seasons:
        deleted = [i for i in gone if season.index_of(i) is not None]
        row = {
            "league_id": season.league.id,
            "league_name": season.league.name,
            "season_id": season.id,
            "season_name": season.name,
            "fixtures": season.size - len(deleted),
            "deleted": sorted(deleted),
            "teams": season.team_count,
            "is_current": sandbox.world.current_season(season.league, now) is season,
        }
        if count_states:
            found = Counter(str(v.state_id) for v in sandbox.season_views(season.id) if not v.deleted)
            row["states"] = dict(sorted(found.items()))
            everything += found
        rows.append(row)
    return {
        "now": sandbox.now(),
        "leagues": len(sandbox.leagues()),
        "seasons": len(rows),
        "fixtures": sum(row["fixtures"] for row in rows),
        "deleted": len(gone),
        **({"states": dict(sorted(everything.items()))} if count_states else {}),
        "chunks": rows,
    }
