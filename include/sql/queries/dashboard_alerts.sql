-- Alerts, newest first, with the DAG run each came from.
SELECT a.alert_id, a.dedupe_key, a.kind, a.severity, a.status, a.subject, a.message, a.hint, a.details, a.execution_id, a.league_id,
       a.season_id, a.opened_at, a.last_seen_at, a.seen_count, a.acknowledged_at, a.acknowledged_by, a.resolved_at, a.notified_at,
       coalesce(e.dag_id, a.details ->> 'dag_id') AS dag_id, coalesce(e.run_id, a.details ->> 'run_id') AS run_id
FROM etl.etl_alerts a LEFT JOIN etl.etl_executions e USING (execution_id)
WHERE (CASE %(state)s::text WHEN 'live' THEN a.status <> 'RESOLVED' WHEN 'resolved' THEN a.status = 'RESOLVED' ELSE true END)
  AND (%(before)s::bigint IS NULL OR a.alert_id < %(before)s)
ORDER BY a.alert_id DESC LIMIT %(limit)s;
