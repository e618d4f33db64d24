-- Answers of a chunk that were fetched and never stored, oldest first.
SELECT answer_id FROM etl.fetched_answers
WHERE league_id = %(league_id)s AND season_id = %(season_id)s
ORDER BY fetched_at, answer_id
