-- Gives: fixture_id, league_id, season_id. Fixtures that begin within the next seven days.
SELECT id AS fixture_id, league_id, season_id
  FROM football.fixtures
 WHERE starting_at BETWEEN now() AND now() + interval '7 days' AND deleted_at IS NULL AND replaced_by IS NULL
 ORDER BY starting_at, id
