-- An answer that has been fetched: safe from here on.
INSERT INTO etl.fetched_answers (answer_id, execution_id, league_id, season_id, fetched_at, packed)
VALUES (%(answer_id)s, %(execution_id)s, %(league_id)s, %(season_id)s, coalesce(%(fetched_at)s, clock_timestamp()), %(packed)s)
ON CONFLICT (answer_id) DO NOTHING
