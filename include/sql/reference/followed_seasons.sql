-- Seasons of the followed leagues.
SELECT id, league_id, is_current, starting_at FROM football.seasons WHERE league_id = ANY (%(leagues)s)
