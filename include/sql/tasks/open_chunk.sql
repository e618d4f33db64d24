-- A season's group begins.
SELECT etl.open_chunk(%(execution_id)s, %(league_id)s, %(season_id)s)
