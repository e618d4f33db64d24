-- Work on a season that this run had closed begins again.
SELECT etl.reopen_chunk(%(execution_id)s, %(league_id)s, %(season_id)s)
