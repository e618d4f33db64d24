-- Seasons whose required quality checks failed in their newest run. While that run has no results (it is still going on,
-- or it failed before its checks), the alert of an earlier run stays open.
SELECT 'QUALITY_CHECKS:' || k.chunk_id AS dedupe_key, 'CRITICAL' AS severity,
       format('%%s %%s', coalesce(nullif(k.league_name, ''), k.league_id::text), coalesce(nullif(k.season_name, ''), k.season_id::text)) AS subject,
       'Quality checks failed: ' || string_agg(r.name || coalesce(': ' || nullif(r.notes, ''), ''), '; ' ORDER BY r.name) AS message,
       'The season''s page lists its fixtures in trouble. Clear the group when the cause is gone; collect the season again with force when rows are wrong.' AS hint,
       jsonb_build_object('dag_id', e.dag_id, 'checks', jsonb_agg(r.name ORDER BY r.name)) AS details,
       k.last_execution_id AS execution_id, k.league_id, k.season_id
FROM etl.chunks k
JOIN etl.check_results r ON r.execution_id = k.last_execution_id AND r.chunk_id = k.chunk_id
LEFT JOIN etl.etl_executions e ON e.execution_id = k.last_execution_id
WHERE r.required AND NOT r.success AND k.deactivated_at IS NULL AND (%(dag_id)s::text IS NULL OR e.dag_id = %(dag_id)s)
GROUP BY k.league_id, k.season_id, e.dag_id
UNION ALL
SELECT a.dedupe_key, a.severity, a.subject, a.message, a.hint, a.details, a.execution_id, a.league_id, a.season_id
FROM etl.etl_alerts a
JOIN etl.chunks k ON k.league_id = a.league_id AND k.season_id = a.season_id AND k.deactivated_at IS NULL
WHERE a.kind = 'QUALITY_CHECKS' AND a.status <> 'RESOLVED' AND (%(dag_id)s::text IS NULL OR a.details ->> 'dag_id' = %(dag_id)s)
  AND NOT EXISTS (SELECT 1 FROM etl.check_results r WHERE r.execution_id = k.last_execution_id AND r.chunk_id = k.chunk_id);
