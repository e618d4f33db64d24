-- Matches with a result.
select
    fixture_id, starting_at, league_id, season_id, stage_id, round_id,
    home_team_id, home_team, away_team_id, away_team,
    home_goals, away_goals, half_time_home_goals, half_time_away_goals,
    extra_time_home_goals, extra_time_away_goals, penalties_home, penalties_away,
    winner, winner_team_id, state, quality_score
from {{ source('football', 'fixture_results') }}
where winner is not null
