-- The fixtures themselves, with teams, goals and quality drawn from their sections. Runs after the sections.
-- Quality: of the sections that were requested, the weighted share (0 to 100) that is as complete as the fixture's state
-- requires. A section that cannot be read is not complete.
WITH sent AS MATERIALIZED (
    SELECT i.fixture_id, r.*, i.collected_at, i.participants, i.scores, i.events, i.statistics, i.periods, i.lineups,
           i.unreadable
    FROM incoming i
    CROSS JOIN LATERAL jsonb_to_record(coalesce(i.cleaned, i.payload)) AS r(
        league_id bigint, season_id bigint, stage_id bigint, round_id bigint, group_id bigint, aggregate_id bigint,
        venue_id bigint, state_id bigint, name text, starting_at text, result_info text, leg text, details text,
        length integer, placeholder boolean, has_odds boolean, has_premium_odds boolean)
), drawn AS (
    SELECT s.*, p.home_team_id, p.away_team_id, g.home_goals, g.away_goals, q.quality
    FROM sent s
    CROSS JOIN LATERAL (
        SELECT max(team_id) FILTER (WHERE location = 'home') AS home_team_id,
               max(team_id) FILTER (WHERE location = 'away') AS away_team_id, count(*) AS teams
        FROM football.fixture_participants WHERE fixture_id = s.fixture_id) p
    CROSS JOIN LATERAL (
        SELECT max(goals) FILTER (WHERE participant = 'home') AS home_goals,
               max(goals) FILTER (WHERE participant = 'away') AS away_goals
        FROM football.fixture_scores WHERE fixture_id = s.fixture_id AND description = 'CURRENT') g
    CROSS JOIN LATERAL (
        SELECT round(100.0 * sum(weight) FILTER (WHERE good AND NOT unreadable) / nullif(sum(weight), 0))::smallint AS quality
        FROM (VALUES
            (10, false, true, s.state_id IS NOT NULL AND s.starting_at IS NOT NULL),
            (20, 'participants' = ANY (s.unreadable), s.participants IS NOT NULL, p.teams >= 2),
            (25, 'scores' = ANY (s.unreadable), s.scores IS NOT NULL AND s.state_id IN (5, 7, 8),
                 g.home_goals IS NOT NULL AND g.away_goals IS NOT NULL),
            (15, 'events' = ANY (s.unreadable), s.events IS NOT NULL AND s.state_id IN (5, 7, 8),
                 jsonb_array_length(s.events) > 0 OR coalesce(g.home_goals + g.away_goals, 0) = 0),
            (15, 'lineups' = ANY (s.unreadable), s.lineups IS NOT NULL AND s.state_id IN (5, 7, 8), s.lineups >= 22),
            (10, 'statistics' = ANY (s.unreadable), s.statistics IS NOT NULL AND s.state_id IN (5, 7, 8),
                 jsonb_array_length(s.statistics) > 0),
            (5, 'periods' = ANY (s.unreadable), s.periods IS NOT NULL AND s.state_id IN (5, 7, 8),
                jsonb_array_length(s.periods) >= 2)
        ) AS part(weight, unreadable, applies, good) WHERE unreadable OR applies) q
)
INSERT INTO football.fixtures AS t (
    id, league_id, season_id, stage_id, round_id, group_id, aggregate_id, venue_id, state_id, name, starting_at, result_info,
    leg, details, length, placeholder, has_odds, has_premium_odds, home_team_id, away_team_id, home_goals, away_goals,
    quality_score, created_at, updated_at)
SELECT fixture_id, coalesce(league_id, %(league_id)s), coalesce(season_id, %(season_id)s), stage_id, round_id, group_id,
       aggregate_id, venue_id, state_id, name, etl.to_utc(starting_at), result_info, leg, details, length, placeholder,
       has_odds, has_premium_odds, home_team_id, away_team_id, home_goals, away_goals, quality, collected_at, collected_at
FROM drawn
ON CONFLICT (id) DO UPDATE
    SET league_id = excluded.league_id, season_id = excluded.season_id, stage_id = excluded.stage_id,
        round_id = excluded.round_id, group_id = excluded.group_id, aggregate_id = excluded.aggregate_id,
        venue_id = excluded.venue_id, state_id = excluded.state_id, name = excluded.name, starting_at = excluded.starting_at,
        result_info = excluded.result_info, leg = excluded.leg, details = excluded.details, length = excluded.length,
        placeholder = excluded.placeholder, has_odds = excluded.has_odds, has_premium_odds = excluded.has_premium_odds,
        home_team_id = excluded.home_team_id, away_team_id = excluded.away_team_id, home_goals = excluded.home_goals,
        away_goals = excluded.away_goals, quality_score = excluded.quality_score, updated_at = excluded.updated_at
    WHERE (t.league_id, t.season_id, t.stage_id, t.round_id, t.group_id, t.aggregate_id, t.venue_id, t.state_id, t.name,
           t.starting_at, t.result_info, t.leg, t.details, t.length, t.placeholder, t.has_odds, t.has_premium_odds,
           t.home_team_id, t.away_team_id, t.home_goals, t.away_goals, t.quality_score)
          IS DISTINCT FROM
          (excluded.league_id, excluded.season_id, excluded.stage_id, excluded.round_id, excluded.group_id,
           excluded.aggregate_id, excluded.venue_id, excluded.state_id, excluded.name, excluded.starting_at,
           excluded.result_info, excluded.leg, excluded.details, excluded.length, excluded.placeholder, excluded.has_odds,
           excluded.has_premium_odds, excluded.home_team_id, excluded.away_team_id, excluded.home_goals,
           excluded.away_goals, excluded.quality_score)
