-- Fixtures of a season that were asked for and not returned.
SELECT id FROM football.fixtures
WHERE league_id = %(league_id)s AND season_id = %(season_id)s AND missing_reads > 0 AND deleted_at IS NULL
