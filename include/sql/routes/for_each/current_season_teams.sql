-- Gives: season_id, team_id. The teams that play in the current seasons, as far as their fixtures have been collected.
SELECT DISTINCT f.season_id, p.team_id
  FROM football.seasons s
  JOIN football.fixtures f ON f.season_id = s.id AND f.league_id = s.league_id
  JOIN football.fixture_participants p ON p.fixture_id = f.id
 WHERE s.is_current
 ORDER BY f.season_id, p.team_id
