-- Fixtures of one league and season that need something, those in trouble first.
SELECT f.id AS fixture_id, f.name, f.starting_at, coalesce(s.name, f.state_id::text) AS state, f.collection_status,
       f.quality_score, f.last_fetched_at, f.next_due_at, f.due_reason, left(f.last_error, 300) AS last_error
FROM football.fixtures f LEFT JOIN football.states s ON s.id = f.state_id
WHERE f.league_id = %(league_id)s AND f.season_id = %(season_id)s
  AND (f.collection_status IN ('FAILED', 'MISSING') OR f.held_reads > 0 OR (f.next_due_at <= %(now)s AND f.deleted_at IS NULL))
ORDER BY f.collection_status IN ('FAILED', 'MISSING') DESC, f.next_due_at LIMIT 50;
