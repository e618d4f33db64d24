-- The row of a chunk that no index has made yet.
INSERT INTO etl.chunks (league_id, season_id, league_name, season_name)
VALUES (%(league_id)s, %(season_id)s, %(league)s, %(season)s)
ON CONFLICT DO NOTHING
