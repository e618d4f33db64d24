"""The includes of every entity, and how a tree of includes is added to a row.

A loader takes the sandbox, the row and (for a fixture) its view, and returns a row, a list of rows or None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox import extra_lists, main_includes, minor_includes, resources, season_lists
from sandbox.fixture_view import FixtureView
from sandbox.main_includes import LINEUP_BASE, team_row
from sandbox.people import person_row, player_row, venue_row
from sandbox.query import ApiError, Node
from sandbox.reference import STATES, TYPES, country_row
from sandbox.world import FIRST_FIXTURE_ID

if TYPE_CHECKING:
    from sandbox.state import Sandbox

Row = dict[str, Any]
Loader = Callable[["Sandbox", Row, FixtureView | None], Any]


def _view(function: Callable[[FixtureView], Any]) -> Loader:
    def load(sandbox: Sandbox, row: Row, view: FixtureView | None) -> Any:
        found = view if view is not None else sandbox.view(row["fixture_id"])
        return None if found is None else function(found)

    return load


def _type(key: str = "type_id") -> tuple[str, Loader]:
    return "type", lambda sandbox, row, view: TYPES.get(row.get(key) or 0)


def _player(key: str = "player_id") -> tuple[str, Loader]:
    return "player", lambda sandbox, row, view: player_row(sandbox.world, row[key]) if row.get(key) else None


def _country(key: str = "country_id") -> tuple[str, Loader]:
    return "country", lambda sandbox, row, view: country_row(row[key])


def _team(key: str = "participant_id") -> tuple[str, Loader]:
    def load(sandbox: Sandbox, row: Row, view: FixtureView | None) -> Row | None:
        team = sandbox.world.team(row[key]) if row.get(key) else None
        return None if team is None else team_row(sandbox.world, team, sandbox.now())

    return "team", load


def _season_part(target: str, function: Callable[[Sandbox, int], Any], key: str) -> tuple[str, Loader]:
    return target, lambda sandbox, row, view: function(sandbox, row[key]) if row.get(key) else None


def _details(sandbox: Sandbox, row: Row, view: FixtureView | None) -> list[Row]:
    found = view if view is not None else sandbox.view(row["fixture_id"])
    if found is None:
        return []
    return main_includes.details(found, row["id"] - LINEUP_BASE - (found.id - FIRST_FIXTURE_ID) * 64)


_LEAGUE = _season_part("league", resources.league_by_id, "league_id")
_SEASON = _season_part("season", resources.season_by_id, "season_id")
_STAGE = _season_part("stage", resources.stage_by_id, "stage_id")
_ROUND = _season_part("round", resources.round_by_id, "round_id")
_VENUE: tuple[str, Loader] = (
    "venue",
    lambda s, row, view: venue_row(s.world, row["venue_id"]) if row["venue_id"] else None,
)

RELATIONS: dict[str, dict[str, tuple[str, Loader]]] = {
    "fixture": {
        "participants": ("team", _view(main_includes.participants)),
        "scores": ("score", _view(main_includes.scores)),
        "events": ("event", _view(main_includes.event_rows)),
        "statistics": ("statistic", _view(main_includes.statistics)),
        "periods": ("period", _view(main_includes.period_rows)),
        "lineups": ("lineup", _view(main_includes.lineups)),
        "timeline": ("event", _view(minor_includes.timeline)),
        "comments": ("comment", _view(minor_includes.comments)),
        "formations": ("formation", _view(minor_includes.formations)),
        "referees": ("fixture_referee", _view(minor_includes.referees)),
        "coaches": ("coach", _view(minor_includes.coaches)),
        "sidelined": ("sidelined", _view(minor_includes.sidelined)),
        "weatherreport": ("weather", _view(minor_includes.weather)),
        "metadata": ("metadata", _view(minor_includes.metadata)),
        "xgfixture": ("xg", _view(minor_includes.expected_goals)),
        "odds": ("odd", _view(extra_lists.odds)),
        "premiumodds": ("odd", lambda s, row, view: []),
        "inplayodds": ("odd", lambda s, row, view: []),
        "predictions": ("odd", _view(extra_lists.predictions)),
        "tvstations": ("tvstation", _view(extra_lists.broadcasts)),
        "state": ("state", lambda s, row, view: minor_includes.state(row["state_id"])),
        "venue": _VENUE,
        "league": _LEAGUE,
        "season": _SEASON,
        "stage": _STAGE,
        "round": _ROUND,
        "aggregate": ("aggregate", lambda s, row, view: None),
        "group": ("group", lambda s, row, view: None),
        "sport": ("sport", lambda s, row, view: dict(resources.SPORT)),
    },
    "team": {
        "country": _country(),
        "venue": _VENUE,
        "sport": ("sport", lambda s, row, view: dict(resources.SPORT)),
        "sidelined": ("sidelined", lambda s, row, view: extra_lists.sidelined_of_team(s, row["id"])),
    },
    "score": {"type": _type(), "participant": _team()},
    "event": {
        "type": _type(),
        "subtype": _type("sub_type_id"),
        "player": _player(),
        "relatedplayer": _player("related_player_id"),
        "participant": _team(),
    },
    "statistic": {"type": _type(), "participant": _team()},
    "period": {"type": _type()},
    "lineup": {
        "details": ("detail", _details),
        "player": _player(),
        "type": _type(),
        "position": _type("position_id"),
        "team": _team("team_id"),
    },
    "detail": {"type": _type(), "player": _player()},
    "formation": {"participant": _team()},
    "fixture_referee": {
        "referee": ("referee", lambda s, row, view: person_row(row["referee_id"], "referees")),
        "type": _type(),
    },
    "coach": {"country": _country()},
    "referee": {"country": _country()},
    "state": {"type": ("type", lambda s, row, view: TYPES.get(STATES[row["id"]]["type_id"] or 0))},
    "sidelined": {"player": _player(), "type": _type()},
    "player": {
        "country": _country(),
        "nationality": _country("nationality_id"),
        "position": _type("position_id"),
        "detailedposition": _type("detailed_position_id"),
    },
    "venue": {"country": _country()},
    "league": {
        "country": _country(),
        "seasons": ("season", lambda s, row, view: resources.seasons_of(s, row["id"])),
        "currentseason": ("season", lambda s, row, view: resources.current_season(s, row["id"])),
        "sport": ("sport", lambda s, row, view: dict(resources.SPORT)),
    },
    "season": {
        "league": _LEAGUE,
        "stages": ("stage", lambda s, row, view: resources.stages_of(s, row["id"])),
        "fixtures": ("fixture", lambda s, row, view: [v.base() for v in s.season_views(row["id"])]),
        "teams": ("team", lambda s, row, view: resources.teams_of(s, row["id"])),
    },
    "stage": {
        "league": _LEAGUE,
        "season": _SEASON,
        "type": _type(),
        "rounds": (
            "round",
            lambda s, row, view: [r for r in resources.rounds_of(s, row["season_id"]) if r["stage_id"] == row["id"]],
        ),
    },
    "round": {
        "league": _LEAGUE,
        "season": _SEASON,
        "stage": _STAGE,
        "fixtures": (
            "fixture",
            lambda s, row, view: [
                v.base()
                for v in s.season_views(row["season_id"])
                if v.plan.round_no is not None and v.season.round_id(v.plan.round_no) == row["id"]
            ],
        ),
    },
    "standing": {
        "participant": _team(),
        "league": _LEAGUE,
        "season": _SEASON,
        "stage": _STAGE,
        "round": _ROUND,
        "details": ("standing_detail", lambda s, row, view: season_lists.standing_details(s, row)),
    },
    "standing_detail": {"type": _type()},
    "topscorer": {
        "player": _player(),
        "participant": _team(),
        "team": _team("team_id"),
        "type": _type(),
        "season": _SEASON,
    },
    "squad": {"player": _player(), "team": _team("team_id"), "position": _type("position_id")},
    "transfer": {
        "player": _player(),
        "fromteam": _team("from_team_id"),
        "toteam": _team("to_team_id"),
        "type": _type(),
    },
    "news": {"lines": ("news_line", lambda s, row, view: extra_lists.news_lines(row))},
    "country": {},
    "type": {},
}
KNOWN = {name for table in RELATIONS.values() for name in table}


def check(entity: str, tree: dict[str, Node], forbidden: set[str]) -> None:
    """ApiError for an include outside the plan (403), not available on this endpoint (404) or unknown (400)."""
    for name, node in tree.items():
        if name in forbidden:
            raise ApiError(403, f"You do not have access to the '{name}' include", 5002)
        target = RELATIONS.get(entity, {}).get(name)
        if target is None and name in KNOWN:
            raise ApiError(404, f"The include '{name}' is not available on this endpoint", 5013)
        if target is None:
            raise ApiError(400, f"The requested include '{name}' was not found", 5001)
        check(target[0], node.children, forbidden)


def pick(row: Row, fields: tuple[str, ...], keep_keys: bool) -> Row:
    """The selected fields and the id; with `keep_keys` all foreign keys (`*_id`) as well."""
    return {k: v for k, v in row.items() if k in fields or k == "id" or (keep_keys and k.endswith("_id"))}


def attach(sandbox: Sandbox, entity: str, row: Row, tree: dict[str, Node], view: FixtureView | None = None) -> Row:
    """Adds the includes of `tree` to a row, in place, and returns it."""
    for name, node in tree.items():
        target, load = RELATIONS[entity][name]
        found = load(sandbox, row, view)
        items: list[Row] = found if isinstance(found, list) else [found] if found is not None else []
        inner = view if entity == "fixture" and name in ("lineups", "events") else None
        for place, item in enumerate(items):
            if node.children:
                item = dict(item)  # reference rows are shared
                attach(sandbox, target, item, node.children, inner)
            if node.fields:
                keep = (*node.fields, *node.children) + (("meta",) if name == "participants" else ())
                item = pick(item, keep, sandbox.variants["select_keeps_keys"] == "yes")
            items[place] = item
        row[name] = items if isinstance(found, list) else items[0] if items else None
    return row
