-- Quality checks of one league and season in its newest run.
SELECT r.name, r.required, r.success, r.notes, r.checked_at
FROM etl.chunks k JOIN etl.check_results r ON r.execution_id = k.last_execution_id AND r.chunk_id = k.chunk_id
WHERE k.league_id = %(league_id)s AND k.season_id = %(season_id)s
ORDER BY r.success, r.name;
