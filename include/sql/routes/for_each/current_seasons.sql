-- Gives: season_id, league_id. The current seasons of the followed leagues (sportmonks_catalog stores only those).
SELECT id AS season_id, league_id FROM football.seasons WHERE is_current ORDER BY league_id, id
