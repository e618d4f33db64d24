"""Players, squads, coaches, referees and stadiums, each a pure function of an id.

A squad has 26 places (3 goalkeepers, 8 defenders, 8 midfielders, 7 attackers); a place is held by one player for
three seasons, so that squads change a little every summer, which is where transfers come from.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sandbox.names import ARENAS, COUNTRIES, FIRST_NAMES, LAST_NAMES, town
from sandbox.world import Season, Team, World

SQUAD = 26
TENURE = 3
GOALKEEPER, DEFENDER, MIDFIELDER, ATTACKER = 24, 25, 26, 27
POSITIONS = (GOALKEEPER,) * 3 + (DEFENDER,) * 8 + (MIDFIELDER,) * 8 + (ATTACKER,) * 7
DETAILED = {GOALKEEPER: (24,), DEFENDER: (148, 154, 155), MIDFIELDER: (149, 150, 153), ATTACKER: (151, 152, 156)}
FIRST_PLAYER_ID = 100_000
CDN = "https://cdn.sportmonks.com/images/soccer"
_MASK = (1 << 64) - 1


def mix(*numbers: int) -> int:
    """A hash of several numbers with 64 bits: the seed of all that is drawn at random."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = (state ^ number) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


class Player(NamedTuple):
    """A member of a squad; `slot` is the place (0-25), the shirt number is one more."""

    id: int
    name: str
    slot: int
    position_id: int


def player_name(player_id: int) -> tuple[str, str]:
    pick = mix(player_id, 11)
    return FIRST_NAMES[pick % len(FIRST_NAMES)], LAST_NAMES[(pick >> 20) % len(LAST_NAMES)]


def _player_id(team: Team, slot: int, year: int) -> int:
    return FIRST_PLAYER_ID + (team.id * 32 + slot) * 32 + (year - 1990 + slot) // TENURE


@lru_cache(maxsize=4_096)
def _squad(team: Team, year: int) -> tuple[Player, ...]:
    members = []
    for slot in range(SQUAD):
        player_id = _player_id(team, slot, year)
        members.append(Player(player_id, " ".join(player_name(player_id)), slot, POSITIONS[slot]))
    return tuple(members)


def squad(team: Team, season: Season) -> tuple[Player, ...]:
    return _squad(team, season.year)


def player_place(player_id: int) -> tuple[int, int, int] | None:
    """(team id, slot, generation) of a player id, None when it cannot be one."""
    if player_id < FIRST_PLAYER_ID:
        return None
    rest, generation = divmod(player_id - FIRST_PLAYER_ID, 32)
    team_id, slot = divmod(rest, 32)
    return (team_id, slot, generation) if slot < SQUAD else None


def player_row(world: World, player_id: int) -> dict[str, Any] | None:
    place = player_place(player_id)
    if place is None or world.team(place[0]) is None:
        return None
    slot, generation = place[1], place[2]
    position = POSITIONS[slot]
    pick = mix(player_id, 12)
    first, last = player_name(player_id)
    country = COUNTRIES[pick % len(COUNTRIES)][0]
    born = datetime(1990 + generation * TENURE - slot - 19 - pick % 9, 1 + pick % 12, 1 + (pick >> 8) % 28, tzinfo=UTC)
    return {
        "id": player_id,
        "sport_id": 1,
        "country_id": country,
        "nationality_id": country,
        "city_id": None if pick % 3 == 0 else 50 + pick % 90_000,
        "position_id": position,
        "detailed_position_id": DETAILED[position][(pick >> 5) % len(DETAILED[position])],
        "type_id": None if pick % 29 == 0 else position,
        "common_name": f"{first[0]}. {last}",
        "firstname": first,
        "lastname": last,
        "name": f"{first} {last}",
        "display_name": f"{first} {last}",
        "image_path": f"{CDN}/players/{player_id % 32}/{player_id}.png",
        "height": 168 + (pick >> 9) % 30 + (4 if position == GOALKEEPER else 0),
        "weight": 62 + (pick >> 14) % 30,
        "date_of_birth": born.strftime("%Y-%m-%d"),
        "gender": "male",
    }


def coach_id(team: Team, season: Season) -> int:
    return 5_000 + team.id * 16 + (season.year - 1990 + team.id) // 4


def person_row(person_id: int, kind: str) -> dict[str, Any]:
    """A coach or referee."""
    pick = mix(person_id, 13 if kind == "coaches" else 14)
    first, last = FIRST_NAMES[pick % len(FIRST_NAMES)], LAST_NAMES[(pick >> 20) % len(LAST_NAMES)]
    country = COUNTRIES[(pick >> 30) % len(COUNTRIES)][0]
    return {
        "id": person_id,
        "sport_id": 1,
        "country_id": country,
        "city_id": None,
        "common_name": f"{first[0]}. {last}",
        "firstname": first,
        "lastname": last,
        "name": f"{first} {last}",
        "display_name": f"{first} {last}",
        "image_path": f"{CDN}/{kind}/{person_id % 32}/{person_id}.png",
        "height": None,
        "weight": None,
        "date_of_birth": f"{1955 + pick % 30}-{1 + (pick >> 4) % 12:02d}-{1 + (pick >> 9) % 28:02d}",
        "gender": "male",
    }


def referee_ids(fixture_id: int, league_index: int) -> list[tuple[int, int]]:
    """(referee id, role type) of the four officials of a match."""
    pick = mix(fixture_id, 15)
    return [(14_000 + league_index * 64 + (pick + n * 17) % 60, role) for n, role in enumerate((6, 7, 8, 9))]


def venue_row(world: World, venue_id: int) -> dict[str, Any] | None:
    team = world.team(venue_id - 1_000)
    if team is None:
        return None
    pick = mix(venue_id, 16)
    place = town(team.id)
    return {
        "id": venue_id,
        "country_id": team.league.country_id,
        "city_id": 20_000 + team.id,
        "name": ARENAS[pick % len(ARENAS)].format(place),
        "address": f"{place} Road {1 + pick % 200}",
        "zipcode": None if pick % 4 == 0 else f"{10_000 + pick % 89_999}",
        "latitude": f"{40 + (pick % 18_000_000) / 1e6:.6f}",
        "longitude": f"{-8 + ((pick >> 24) % 30_000_000) / 1e6:.6f}",
        "capacity": 6_000 + (pick >> 12) % 70_000,
        "image_path": f"{CDN}/venues/{venue_id % 32}/{venue_id}.png",
        "city_name": place,
        "surface": ("grass", "hybrid grass", "artificial turf")[pick % 3],
        "national_team": False,
    }


def short_code(name: str) -> str:
    letters = [c for c in name.upper() if c.isalpha()]
    return "".join(letters[:3])
