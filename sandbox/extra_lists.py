"""Lists beside fixtures: people of all seasons, injuries, broadcasts, odds, predictions and news, each a pure function
of the world and the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sandbox.clock import day, stamp
from sandbox.fixture_view import FixtureView
from sandbox.outcome import PLAYED
from sandbox.people import coach_id, mix, person_row, player_row, squad
from sandbox.world import DAY, FIRST_FIXTURE_ID, Season, Team

if TYPE_CHECKING:
    from sandbox.state import Sandbox

Row = dict[str, Any]
STATIONS = ("Arena Sport", "Kick TV", "Sport Eins", "Stadium+", "Premier Play", "Canal Gol", "Nordic Sport", "Matchday")
BOOKMAKERS = (2, 34)
REFEREES_PER_LEAGUE = 60


def _teams(sandbox: Sandbox) -> Iterator[tuple[Season, Team]]:
    for season in sandbox.seasons():
        for number in season.team_numbers:
            yield season, season.league.team(number)


def players(sandbox: Sandbox) -> list[Row]:
    ids = sorted({player.id for season, team in _teams(sandbox) for player in squad(team, season)})
    return [row for row in (player_row(sandbox.world, one) for one in ids) if row is not None]


def coach(sandbox: Sandbox, person_id: int) -> Row:
    row = person_row(person_id, "coaches")
    return row | {"player_id": person_id, "nationality_id": row["country_id"]}


def coaches(sandbox: Sandbox) -> list[Row]:
    return [coach(sandbox, one) for one in sorted({coach_id(team, season) for season, team in _teams(sandbox)})]


def referees(sandbox: Sandbox) -> list[Row]:
    return [
        person_row(14_000 + league.index * 64 + number, "referees")
        for league in sandbox.leagues()
        for number in range(REFEREES_PER_LEAGUE)
    ]


def sidelined_of_team(sandbox: Sandbox, team_id: int) -> list[Row]:
    """Injuries and suspensions of a team in its present season."""
    team = sandbox.world.team(team_id)
    season = sandbox.world.current_season(team.league, sandbox.now()) if team is not None else None
    if team is None or season is None:
        return []
    rows = []
    for player in squad(team, season):
        pick = mix(player.id, season.year, 81)
        begin = season.start + pick % 200 * DAY
        if pick % 5 or begin > sandbox.now():
            continue
        injured, end = pick % 2 == 0, begin + (3 + pick % 40) * DAY
        rows.append(
            {
                "id": player.id * 64 + season.year - 1990,
                "player_id": player.id,
                "type_id": 535 + pick % 2,
                "category": "injury" if injured else "suspended",
                "team_id": team.id,
                "season_id": season.id,
                "start_date": day(begin),
                "end_date": day(end) if end < sandbox.now() or not injured else None,
                "games_missed": pick % 6,
                "completed": end < sandbox.now(),
            }
        )
    return rows


def tv_stations() -> list[Row]:
    return [
        {
            "id": 33 + place,
            "name": name,
            "url": f"https://{name.lower().replace(' ', '').replace('+', 'plus')}.example.com",
            "image_path": f"https://cdn.sportmonks.com/images/core/tvstations/{(33 + place) % 32}/{33 + place}.png",
            "type": "tv" if place % 4 else "channel",
            "related_id": None,
        }
        for place, name in enumerate(STATIONS)
    ]


def broadcasts(view: FixtureView) -> list[Row]:
    """Which stations show a fixture where; of about half of the fixtures nothing is known."""
    pick = mix(view.id, 82)
    base = 118_000_000 + (view.id - FIRST_FIXTURE_ID) * 4
    return [
        {
            "id": base + place,
            "fixture_id": view.id,
            "tvstation_id": 33 + (pick + place) % len(STATIONS),
            "country_id": 5 + place,
        }
        for place in range(pick % 4 if pick & 64 else 0)
    ]


def odds(view: FixtureView) -> list[Row]:
    """The market of the winner, by two bookmakers, as it was a day before kick-off."""
    rows = []
    for book in BOOKMAKERS:
        for place, name in enumerate(("Home", "Draw", "Away")):
            value = 1.2 + mix(view.id, book, place) % 600 / 100
            rows.append(
                {
                    "id": ((view.id - FIRST_FIXTURE_ID) * 64 + book) * 4 + place,
                    "fixture_id": view.id,
                    "market_id": 1,
                    "bookmaker_id": book,
                    "label": name,
                    "value": f"{value:.2f}",
                    "name": name,
                    "market_description": "Match Winner",
                    "probability": f"{100 / value:.2f}%",
                    "winning": False,
                    "stopped": view.kickoff < view.now,
                    "total": None,
                    "handicap": None,
                    "latest_bookmaker_update": stamp(view.kickoff - DAY),
                }
            )
    return rows


def predictions(view: FixtureView) -> list[Row]:
    home = 10 + mix(view.id, 83) % 60
    draw = 10 + mix(view.id, 84) % 20
    rows = ((237, {"home": home, "draw": draw, "away": 100 - home - draw}), (231, {"yes": home, "no": 100 - home}))
    return [
        {
            "id": (view.id - FIRST_FIXTURE_ID) * 4 + place,
            "fixture_id": view.id,
            "predictions": values,
            "type_id": type_id,
        }
        for place, (type_id, values) in enumerate(rows)
    ]


def _article(view: FixtureView, kind: str) -> Row:
    teams = " vs. ".join(team.name for team in view.teams)
    return {
        "id": (view.id - FIRST_FIXTURE_ID) * 2 + (kind == "postmatch"),
        "fixture_id": view.id,
        "league_id": view.season.league.id,
        "title": f"{'Preview' if kind == 'prematch' else 'Report'}: {teams}",
        "type": kind,
    }


def news_upcoming(sandbox: Sandbox) -> list[Row]:
    """Previews of what is played within seven days."""
    now = sandbox.now()
    return [
        _article(view, "prematch")
        for season in sandbox.seasons()
        for view in sandbox.season_views(season.id)
        if now < view.kickoff < now + 7 * DAY and not view.deleted
    ]


def news_of_season(sandbox: Sandbox, season_id: int) -> list[Row]:
    """Reports of what was played, of every fourth fixture."""
    return [
        _article(view, "postmatch")
        for view in sandbox.season_views(season_id)
        if view.true_state in PLAYED and not view.deleted and view.id % 4 == 0
    ]


def news_lines(row: Row) -> list[Row]:
    return [
        {"id": row["id"] * 4 + place, "newsitem_id": row["id"], "text": f"Paragraph {place + 1}.", "type": row["type"]}
        for place in range(2)
    ]
