-- One league and season: its state and the quality of what is stored.
SELECT k.league_id, k.season_id, k.chunk_id, k.league_name, k.season_name, k.status, k.total_fixtures, k.collected_fixtures,
       k.settled_fixtures, q.due_fixtures, k.failed_fixtures, k.priority, k.owner, k.heartbeat_at, k.last_execution_id,
       k.last_collected_at, k.indexed_at, k.deactivated_at, k.error_message, q.quality, q.next_due_at, q.first_match, q.last_match
FROM etl.chunks k
CROSS JOIN LATERAL (SELECT round(avg(f.quality_score), 1) AS quality, min(f.next_due_at) FILTER (WHERE f.deleted_at IS NULL) AS next_due_at,
                           count(*) FILTER (WHERE f.next_due_at <= %(now)s::timestamptz AND f.deleted_at IS NULL) AS due_fixtures,
                           min(f.starting_at) AS first_match, max(f.starting_at) AS last_match
                    FROM football.fixtures f WHERE f.league_id = k.league_id AND f.season_id = k.season_id) q
WHERE k.league_id = %(league_id)s AND k.season_id = %(season_id)s;
