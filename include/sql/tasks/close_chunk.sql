-- A season's group ends, whatever happened in it.
SELECT etl.close_chunk(%(execution_id)s, %(league_id)s, %(season_id)s)
