"""football.standings_at is the provider's own table, on every matchday of a season and on any day afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from sandbox.clock import iso
from sandbox.main_includes import participants, scores
from sandbox.names import LEAGUES
from sandbox.outcome import AWARDED, FT, FT_PEN
from sandbox.season_lists import standings_of
from sandbox.state import Sandbox
from sandbox.world import DAY, Season
from tests.analysis.conftest import asker, make_sandbox

OURS = """
SELECT position, team_id, played, won, drawn, lost, goals_for, goals_against, goal_difference, points, stage_id
FROM football.standings_at(%s, %s) ORDER BY stage_id, position
"""


def store(conn: psycopg.Connection[Any], sandbox: Sandbox, season: Season) -> None:
    """The season's fixtures and participants as the sandbox has them at its time."""
    conn.execute("TRUNCATE football.fixtures, football.fixture_participants")
    views = list(sandbox.season_views(season.id))
    with conn.cursor() as cursor:
        with cursor.copy(
            "COPY football.fixtures (id, league_id, season_id, stage_id, round_id, state_id, starting_at, home_team_id,"
            " away_team_id, home_goals, away_goals) FROM STDIN"
        ) as copy:
            for view in views:
                row, current = view.base(), [s["score"] for s in scores(view) if s["description"] == "CURRENT"]
                goals = {score["participant"]: score["goals"] for score in current}
                names = ("id", "league_id", "season_id", "stage_id", "round_id", "state_id")
                teams = (view.home.id, view.away.id, goals.get("home"), goals.get("away"))
                copy.write_row((*(row[name] for name in names), row["starting_at"] + "+00", *teams))
        with cursor.copy("COPY football.fixture_participants (fixture_id, team_id, winner) FROM STDIN") as copy:
            for view in views:
                for team in participants(view):
                    copy.write_row((view.id, team["id"], team["meta"]["winner"]))


def theirs(sandbox: Sandbox, season: Season) -> list[tuple[Any, ...]]:
    rows = []
    for row in standings_of(sandbox, season.id):
        played, won, drawn, lost, scored, against = row["_record"]
        figures = (played, won, drawn, lost, scored, against, scored - against, row["points"], row["stage_id"])
        rows.append((row["position"], row["participant_id"], *figures))
    return rows


def ours(conn: psycopg.Connection[Any], season: Season, day: date) -> list[tuple[Any, ...]]:
    """Of the regular stage, which is the one that the provider has a table of."""
    return [row for row in conn.execute(OURS, (season.id, day)).fetchall() if row[-1] == season.stage_id]


def matchdays(season: Season) -> list[float]:
    """The last second of the last day of every round."""
    kickoffs: dict[int, int] = {}
    for index in range(season.regular):
        plan = season.plan(index)
        assert plan.round_no is not None
        kickoffs[plan.round_no] = max(kickoffs.get(plan.round_no, 0), plan.kickoff)
    return sorted({kickoff // DAY * DAY + DAY - 1 for kickoff in kickoffs.values()})


def day_of(epoch: float) -> date:
    return datetime.fromtimestamp(epoch, UTC).date()


def season_of(sandbox: Sandbox, kind: str) -> Season:
    return next(league.seasons[0] for league in sandbox.leagues() if league.kind == kind)


@pytest.mark.parametrize("kind", ["league", "playoff", "cup"])
def test_it_is_the_providers_table_on_every_matchday(warehouse: psycopg.Connection[Any], kind: str) -> None:
    """With what is known on that day, matches that are being played, postponed or still to be awarded included."""
    place = next(number for number, league in enumerate(LEAGUES) if league[-1] == kind)
    sandbox = make_sandbox(leagues=place + 1, teams=8)
    season = season_of(sandbox, kind)
    for end in matchdays(season):
        sandbox.clock.move(to=end)
        store(warehouse, sandbox, season)
        assert ours(warehouse, season, day_of(end)) == theirs(sandbox, season), iso(end)


def test_it_is_the_providers_table_of_every_matchday_in_hindsight(warehouse: psycopg.Connection[Any]) -> None:
    """A season of 380 from what is known at its end. A match that was awarded counts from the day of its kick-off."""
    sandbox = make_sandbox(teams=20)
    season = season_of(sandbox, "league")
    store(warehouse, sandbox, season)
    awarded = [view.kickoff for view in sandbox.season_views(season.id) if view.true_state == AWARDED]
    assert season.size == 380
    assert awarded, "choose a seed with an awarded match"
    compared = 0
    for end in matchdays(season):
        if not any(kickoff <= end < kickoff + 2 * DAY for kickoff in awarded):
            sandbox.clock.move(to=end)
            assert ours(warehouse, season, day_of(end)) == theirs(sandbox, season), iso(end)
            compared += 1
    assert compared > 30


def test_a_shoot_out_decides_a_draw(warehouse: psycopg.Connection[Any]) -> None:
    sandbox = make_sandbox(teams=6)
    season = season_of(sandbox, "league")
    drawn = [view for view in sandbox.season_views(season.id) if view.true_state == FT and view.winner == -1]
    for view in drawn:
        sandbox.change(view.id).extended_at = sandbox.now() - DAY
    assert FT_PEN in {view.true_state for view in sandbox.season_views(season.id)}
    store(warehouse, sandbox, season)
    assert ours(warehouse, season, day_of(sandbox.now())) == theirs(sandbox, season)


def test_home_and_away_and_form(warehouse: psycopg.Connection[Any]) -> None:
    ask = asker(warehouse)
    sandbox = make_sandbox(teams=6)
    season = season_of(sandbox, "league")
    store(warehouse, sandbox, season)
    rows = ask("SELECT * FROM football.standings_at(%s, '2026-06-30')", season.id)
    assert len(rows) == 6
    counted = [view for view in sandbox.season_views(season.id) if view.winner is not None]
    counted.sort(key=lambda view: (view.kickoff, view.id))
    for row in rows:
        home = [view for view in counted if view.home.id == row["team_id"]]
        away = [view for view in counted if view.away.id == row["team_id"]]
        assert [row[f"home_{name}"] for name in ("played", "won", "drawn", "lost")] == [
            len(home),
            *(sum(view.winner == result for view in home) for result in (0, -1, 1)),
        ]
        assert [row[f"away_{name}"] for name in ("played", "won", "drawn", "lost")] == [
            len(away),
            *(sum(view.winner == result for view in away) for result in (1, -1, 0)),
        ]
        assert (row["home_goals_for"], row["home_goals_against"]) == tuple(
            sum(view.score[side] for view in home) for side in (0, 1)
        )
        assert (row["away_goals_for"], row["away_goals_against"]) == tuple(
            sum(view.score[side] for view in away) for side in (1, 0)
        )
        assert row["home_points"] + row["away_points"] == row["points"]
        letters = {0: "W", -1: "D", 1: "L"}
        mine = [view for view in counted if row["team_id"] in (view.home.id, view.away.id)]
        results = [
            letters[view.winner if view.home.id == row["team_id"] or view.winner == -1 else 1 - view.winner]
            for view in mine
            if view.winner is not None
        ]
        assert row["form"] == "".join(results[-5:])


def test_before_the_first_match_every_team_has_nothing(warehouse: psycopg.Connection[Any]) -> None:
    ask = asker(warehouse)
    sandbox = make_sandbox(teams=6)
    season = season_of(sandbox, "league")
    store(warehouse, sandbox, season)
    rows = ask("SELECT * FROM football.standings_at(%s, %s)", season.id, day_of(season.start - 30 * DAY))
    assert [(row["position"], row["played"], row["points"], row["form"]) for row in rows] == [
        (place, 0, 0, None) for place in range(1, 7)
    ]


def calls(plan: Any) -> Iterator[int]:
    """How often a plan calls standings_at."""
    if plan.get("Function Name") == "standings_at":
        yield plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from calls(part)


def test_the_view_has_all_seasons_and_finds_one_by_itself(warehouse: psycopg.Connection[Any]) -> None:
    ask = asker(warehouse)
    sandbox = make_sandbox(teams=6)
    season = season_of(sandbox, "league")
    store(warehouse, sandbox, season)
    warehouse.execute(
        "INSERT INTO football.seasons (id, league_id) VALUES (%s, %s), (99, 1)", (season.id, season.league.id)
    )
    expected = ask("SELECT * FROM football.standings_at(%s)", season.id)
    assert ask("SELECT * FROM football.standings WHERE season_id = %s", season.id) == expected
    (plan,) = ask("EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM football.standings WHERE season_id = %s", season.id)
    assert list(calls(plan["QUERY PLAN"][0]["Plan"])) == [1], "another season is computed, too"


TEAMS, DAYS = range(1, 5), range(4)
DECIDED = (5, 7, 8, 14, 17)  # full time, extra time, penalties, walkover, awarded
STATES = (*DECIDED, 1, 2, 10, 11, 12, 15, 18)  # and to come, playing, postponed, interrupted, cancelled, abandoned ...
GOALS = st.one_of(st.none(), st.integers(0, 3))
match = st.fixed_dictionaries(
    {
        "teams": st.permutations(TEAMS).map(lambda teams: teams[:2]),
        "state": st.sampled_from(STATES),
        "stage": st.sampled_from((1, 2)),
        "group": st.sampled_from((None, 7, 8)),
        "day": st.sampled_from(DAYS),
        "goals": st.tuples(GOALS, GOALS),
        "round": st.sampled_from((1, 1, 1, 1, None)),
        "winner": st.sampled_from((None, 0, 1)),
        "gone": st.sampled_from((None,) * 6 + ("deleted", "replaced", "placeholder")),
    }
)


def expected(matches: list[dict[str, Any]], day: int) -> list[tuple[Any, ...]]:
    """The tables of all stages and groups: stage, group, place, team, played, won, drawn, lost, goals for and against,
    points, points at home."""
    tables: dict[tuple[int, int], dict[int, list[int]]] = {}
    for each in matches:
        if each["gone"] or each["round"] is None:
            continue
        table = tables.setdefault((each["stage"], each["group"] or 0), {})
        rows = [table.setdefault(team, [0] * 7) for team in each["teams"]]
        if each["state"] not in DECIDED or None in each["goals"] or each["day"] > day:
            continue
        difference = each["goals"][0] - each["goals"][1]
        if difference == 0 and each["state"] == 8 and each["winner"] is not None:
            difference = 1 - 2 * each["winner"]
        for side, row in enumerate(rows):
            result = 1 if difference == 0 else 0 if (difference > 0) == (side == 0) else 2
            row[0] += 1
            row[1 + result] += 1
            row[4] += each["goals"][side]
            row[5] += each["goals"][1 - side]
            row[6] += (3, 1, 0)[result] * (side == 0)
    found = []
    for (stage, group), table in sorted(tables.items()):
        order = sorted(
            table, key=lambda n: (-3 * table[n][1] - table[n][2], table[n][5] - table[n][4], -table[n][4], n)
        )
        for place, team in enumerate(order, 1):
            played, won, drawn, lost, scored, against, home = table[team]
            found.append((stage, group, place, team, played, won, drawn, lost, scored, against, 3 * won + drawn, home))
    return found


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow),
)
@given(matches=st.lists(match, max_size=14), day=st.sampled_from(DAYS))
def test_stages_groups_and_matches_without_a_result(
    warehouse: psycopg.Connection[Any], matches: list[dict[str, Any]], day: int
) -> None:
    """Abandoned, awarded, postponed and deleted matches, by rules that are written down a second time."""
    fixtures, participants_of = [], []
    for number, each in enumerate(matches, 1):
        home, away = each["teams"]
        gone, kick_off = each["gone"], f"2026-03-0{1 + each['day']} 23:59+00"
        row = (number, each["stage"], each["round"], each["group"], each["state"], kick_off, home, away, *each["goals"])
        fixtures.append((*row, gone == "deleted", gone == "replaced", gone == "placeholder"))
        if each["winner"] is not None:
            participants_of.append((number, each["teams"][each["winner"]]))
    with warehouse.transaction(force_rollback=True), warehouse.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO football.fixtures (id, league_id, season_id, stage_id, round_id, group_id, state_id,"
            " starting_at, home_team_id, away_team_id, home_goals, away_goals, deleted_at, collection_status,"
            " replaced_by, placeholder) SELECT id, 1, 9, stage, round, grp, state, kick_off, home, away, home_goals,"
            " away_goals, CASE WHEN deleted THEN now() END, CASE WHEN deleted THEN 'DELETED' ELSE 'COLLECTED' END,"
            " CASE WHEN replaced THEN 99 END, placeholder"
            " FROM (VALUES (%s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::timestamptz, %s::bigint,"
            " %s::bigint, %s::integer, %s::integer, %s::boolean, %s::boolean, %s::boolean)) AS v(id, stage, round, grp,"
            " state, kick_off, home, away, home_goals, away_goals, deleted, replaced, placeholder)",
            fixtures,
        )
        cursor.executemany(
            "INSERT INTO football.fixture_participants (fixture_id, team_id, winner) VALUES (%s, %s, true)",
            participants_of,
        )
        cursor.execute(
            "SELECT stage_id, coalesce(group_id, 0) AS grp, position, team_id, played, won, drawn, lost, goals_for,"
            " goals_against, points, home_points FROM football.standings_at(9, %s) ORDER BY 1, 2, 3",
            (date(2026, 3, 1 + day),),
        )
        assert cursor.fetchall() == expected(matches, day)


def test_what_the_providers_list_says_otherwise_is_shown(warehouse: psycopg.Connection[Any]) -> None:
    """Six points that were deducted from the leader, and a team that only the provider knows."""
    ask = asker(warehouse)
    sandbox = make_sandbox(teams=6)
    season = season_of(sandbox, "league")
    store(warehouse, sandbox, season)
    compared = "SELECT * FROM football.standings_compared(%s)"
    alone = ask(compared, season.id)
    assert len(alone) == 6
    assert {(row["provider_points"], row["differs"]) for row in alone} == {(None, None)}

    warehouse.execute("SELECT etl.ensure_raw_table('sportmonks', 'standings', '{id}')")

    def collect(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            warehouse.execute(
                "INSERT INTO raw.client_sportmonks_standings (payload, content_hash) VALUES (%s, %s)",
                (Jsonb({key: value for key, value in row.items() if key != "_record"}), str(row).encode()),
            )

    collect(standings_of(sandbox, season.id))
    assert [(row["provider_points"], row["points_difference"], row["differs"]) for row in ask(compared, season.id)] == [
        (row["points"], 0, False) for row in alone
    ]
    first = standings_of(sandbox, season.id)[0]
    lower = 1 + sum(row["points"] > first["points"] - 6 for row in alone[1:])
    collect([{**first, "points": first["points"] - 6, "position": lower}])
    collect([{**first, "id": 1, "participant_id": 777, "position": 7, "points": 0}])
    rows = {row["team_id"]: row for row in ask(compared, season.id)}
    leader = rows[first["participant_id"]]
    assert (leader["points_difference"], leader["provider_position"], leader["differs"]) == (-6, lower, True)
    assert (rows[777]["points"], rows[777]["provider_points"], rows[777]["differs"]) == (None, 0, True)
    assert sum(row["differs"] for row in rows.values()) == 2
