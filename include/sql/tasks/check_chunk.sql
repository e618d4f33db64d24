-- Quality checks of a season: recorded first, then the chunk closes with them, then a failed required one fails the task.
SELECT etl.run_chunk_checks(%(execution_id)s, %(league_id)s, %(season_id)s);
SELECT etl.close_chunk(%(execution_id)s, %(league_id)s, %(season_id)s);
SELECT etl.require_chunk_checks(%(execution_id)s, %(league_id)s, %(season_id)s)
