-- A try of a season has failed.
SELECT etl.stop_chunk(%(execution_id)s, %(league_id)s, %(season_id)s)
