-- Football data for analysts: names instead of ids, one row per question. Ask for a season_id, fixture_id or player_id; all
-- of them find their rows by an index.

-- The tables of all seasons as of today; football.standings_at gives them for any day, and says how they are computed.
CREATE OR REPLACE VIEW football.standings AS
SELECT s.league_id, s.id AS season_id, t.stage_id, t.group_id, t."position", t.team_id, t.team, t.played, t.won, t.drawn, t.lost,
       t.goals_for, t.goals_against, t.goal_difference, t.points,
       t.home_played, t.home_won, t.home_drawn, t.home_lost, t.home_goals_for, t.home_goals_against, t.home_points,
       t.away_played, t.away_won, t.away_drawn, t.away_lost, t.away_goals_for, t.away_goals_against, t.away_points, t.form
-- Its ids are those of football.seasons, so that a condition on them chooses the seasons that are computed.
FROM football.seasons s
CROSS JOIN LATERAL football.standings_at(s.id) t;

-- Statistics of teams with names: one row per match, team and kind of statistic. The provider leaves zeros out.
CREATE OR REPLACE VIEW football.team_match_statistics AS
SELECT f.id AS fixture_id, f.starting_at, f.league_id, f.season_id, f.round_id,
       s.participant_id AS team_id, t.name AS team, s.location,
       o.id AS opponent_id, o.name AS opponent,
       s.type_id, coalesce(y.developer_name, s.type_id::text) AS statistic, y.name AS statistic_name, s.value, s.value_text
FROM football.fixtures f
JOIN football.fixture_statistics s ON s.fixture_id = f.id
LEFT JOIN football.types y ON y.id = s.type_id
LEFT JOIN football.teams t ON t.id = s.participant_id
LEFT JOIN football.teams o
       ON o.id = CASE s.participant_id WHEN f.home_team_id THEN f.away_team_id WHEN f.away_team_id THEN f.home_team_id END
WHERE f.deleted_at IS NULL AND f.replaced_by IS NULL;

-- Events with names. In the order in which they happened: period_from, minute, extra_minute NULLS FIRST, sort_order.
CREATE OR REPLACE VIEW football.events_named AS
SELECT f.id AS fixture_id, f.starting_at, f.league_id, f.season_id, f.round_id, e.id AS event_id, e.sort_order,
       p.description AS period, p.counts_from AS period_from, e.minute, e.extra_minute,
       e.type_id, coalesce(y.developer_name, e.type_id::text) AS event, y.name AS event_name, d.name AS detail,
       e.participant_id AS team_id, t.name AS team,
       CASE e.participant_id WHEN f.home_team_id THEN 'home' WHEN f.away_team_id THEN 'away' END AS location,
       e.player_id, e.player_name, e.related_player_id, e.related_player_name, e.coach_id,
       e.result, e.info, e.addition, e.rescinded
FROM football.fixtures f
JOIN football.fixture_events e ON e.fixture_id = f.id
LEFT JOIN football.fixture_periods p ON p.fixture_id = e.fixture_id AND p.id = e.period_id
LEFT JOIN football.types y ON y.id = e.type_id
LEFT JOIN football.types d ON d.id = e.sub_type_id
LEFT JOIN football.teams t ON t.id = e.participant_id
WHERE f.deleted_at IS NULL AND f.replaced_by IS NULL;

-- A player's match in columns: one row per match and player of the squad. Goals, assists and cards are those of the
-- statistics, else of the events; 0 where one of both is stored for the match, NULL where neither is. The other figures are
-- NULL where the provider sends none; it leaves out zeros.
CREATE OR REPLACE VIEW football.player_match AS
SELECT f.id AS fixture_id, f.starting_at, f.league_id, f.season_id, f.round_id,
       p.player_id, p.player_name, p.team_id, t.name AS team,
       CASE p.team_id WHEN f.home_team_id THEN 'home' WHEN f.away_team_id THEN 'away' END AS location,
       o.id AS opponent_id, o.name AS opponent,
       y.name AS "position", p.jersey_number, p.formation_field,
       p.type_id = 11 AS started,
       coalesce(p.type_id = 11 OR s.minutes > 0 OR e.came_on > 0, false) AS played,
       coalesce(s.captain > 0, false) AS captain,
       s.minutes, s.rating,
       CASE WHEN k.known OR s.lineup_id IS NOT NULL THEN coalesce(s.goals, e.goals, 0) END AS goals,
       CASE WHEN k.known OR s.lineup_id IS NOT NULL THEN coalesce(s.assists, e.assists, 0) END AS assists,
       CASE WHEN k.known OR s.lineup_id IS NOT NULL THEN coalesce(s.own_goals, e.own_goals, 0) END AS own_goals,
       CASE WHEN k.known THEN coalesce(e.penalties_scored, 0) END AS penalties_scored,
       CASE WHEN k.known THEN coalesce(e.penalties_missed, 0) END AS penalties_missed,
       CASE WHEN k.known OR s.lineup_id IS NOT NULL THEN coalesce(s.yellow_cards, e.yellow_cards, 0) END AS yellow_cards,
       CASE WHEN k.known OR s.lineup_id IS NOT NULL THEN coalesce(s.second_yellow_cards, e.second_yellow_cards, 0) END
           AS second_yellow_cards,
       CASE WHEN k.known OR s.lineup_id IS NOT NULL THEN coalesce(s.red_cards, e.red_cards, 0) END AS red_cards,
       s.shots, s.shots_on_target, s.expected_goals, s.expected_goals_on_target,
       s.passes, s.accurate_passes, s.key_passes, s.crosses, s.dribbles, s.successful_dribbles, s.touches,
       s.duels_won, s.tackles, s.interceptions, s.clearances, s.fouls, s.fouls_drawn, s.offsides,
       s.saves, s.goals_conceded
FROM football.fixtures f
JOIN football.fixture_lineups p ON p.fixture_id = f.id
LEFT JOIN football.fixture_player_figures s ON s.fixture_id = p.fixture_id AND s.lineup_id = p.id
LEFT JOIN LATERAL (
    SELECT who.player_id,
           count(*) FILTER (WHERE who.first AND n.type_id IN (14, 16)) AS goals,
           count(*) FILTER (WHERE NOT who.first AND n.type_id = 14) AS assists,
           count(*) FILTER (WHERE who.first AND n.type_id = 15) AS own_goals,
           count(*) FILTER (WHERE who.first AND n.type_id = 16) AS penalties_scored,
           count(*) FILTER (WHERE who.first AND n.type_id = 17) AS penalties_missed,
           count(*) FILTER (WHERE who.first AND n.type_id = 19) AS yellow_cards,
           count(*) FILTER (WHERE who.first AND n.type_id = 20) AS red_cards,
           count(*) FILTER (WHERE who.first AND n.type_id = 21) AS second_yellow_cards,
           count(*) FILTER (WHERE who.first AND n.type_id = 18) AS came_on
    FROM football.fixture_events n
    CROSS JOIN LATERAL (VALUES (n.player_id, true), (n.related_player_id, false)) AS who(player_id, first)
    WHERE n.fixture_id = f.id AND who.player_id IS NOT NULL AND NOT coalesce(n.rescinded, false)
    GROUP BY who.player_id) e ON e.player_id = p.player_id
LEFT JOIN LATERAL (SELECT true AS known FROM football.fixture_events n WHERE n.fixture_id = f.id LIMIT 1) k ON true
LEFT JOIN football.types y ON y.id = p.position_id
LEFT JOIN football.teams t ON t.id = p.team_id
LEFT JOIN football.teams o
       ON o.id = CASE p.team_id WHEN f.home_team_id THEN f.away_team_id WHEN f.away_team_id THEN f.home_team_id END
WHERE f.deleted_at IS NULL AND f.replaced_by IS NULL;

-- A player's season in one row per team: sums over football.player_match.
CREATE OR REPLACE VIEW football.player_season AS
SELECT m.season_id, m.league_id, m.player_id, max(m.player_name) AS player_name, m.team_id, m.team,
       count(*) FILTER (WHERE m.played) AS appearances,
       count(*) FILTER (WHERE m.started) AS starts,
       sum(m.minutes) AS minutes,
       sum(m.goals) AS goals, sum(m.assists) AS assists, sum(m.own_goals) AS own_goals,
       sum(m.penalties_scored) AS penalties_scored, sum(m.penalties_missed) AS penalties_missed,
       sum(m.yellow_cards) AS yellow_cards, sum(m.second_yellow_cards) AS second_yellow_cards, sum(m.red_cards) AS red_cards,
       round(avg(m.rating), 2) AS rating,
       sum(m.shots) AS shots, sum(m.shots_on_target) AS shots_on_target, sum(m.expected_goals) AS expected_goals,
       sum(m.passes) AS passes, sum(m.accurate_passes) AS accurate_passes, sum(m.key_passes) AS key_passes,
       sum(m.tackles) AS tackles, sum(m.interceptions) AS interceptions, sum(m.saves) AS saves,
       round(90 * sum(m.goals) / nullif(sum(m.minutes), 0), 2) AS goals_per_90,
       round(90 * sum(m.assists) / nullif(sum(m.minutes), 0), 2) AS assists_per_90
FROM football.player_match m
GROUP BY m.season_id, m.league_id, m.player_id, m.team_id, m.team;

-- Quality checks over the runs of a season: the newest result, since when a failing one fails, and how often it failed.
CREATE OR REPLACE VIEW etl.check_trends AS
SELECT r.chunk_id, r.name, r.required, r.success, r.notes, r.checked_at,
       CASE WHEN NOT r.success THEN r.failing_since END AS failing_since,
       r.runs, r.failures, r.previous_success, r.previous_notes
FROM (SELECT c.*,
             row_number() OVER newest AS place,
             lead(c.success) OVER newest AS previous_success,
             lead(c.notes) OVER newest AS previous_notes,
             count(*) OVER every_run AS runs,
             count(*) FILTER (WHERE NOT c.success) OVER every_run AS failures,
             min(c.checked_at) FILTER (WHERE NOT c.success AND c.passed_later = 0) OVER every_run AS failing_since
      FROM (SELECT k.*, count(*) FILTER (WHERE k.success) OVER (PARTITION BY k.chunk_id, k.name ORDER BY k.checked_at DESC)
                   AS passed_later
            FROM etl.check_results k) c
      WINDOW every_run AS (PARTITION BY c.chunk_id, c.name),
             newest AS (PARTITION BY c.chunk_id, c.name ORDER BY c.checked_at DESC)) r
WHERE r.place = 1;
