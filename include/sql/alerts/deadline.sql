-- Missed deadlines that are not over: the DAG has not since completed a run within its deadline. A dry run proves
-- nothing.
SELECT a.dedupe_key, a.severity, a.subject, a.message, a.hint, a.details, a.execution_id, a.league_id, a.season_id
FROM etl.etl_alerts a
WHERE a.kind = 'DEADLINE' AND a.status <> 'RESOLVED' AND a.opened_at > %(now)s::timestamptz - interval '30 days'
  AND (%(dag_id)s::text IS NULL OR a.details ->> 'dag_id' = %(dag_id)s)
  AND NOT EXISTS (SELECT 1 FROM etl.etl_executions e
                  WHERE e.dag_id = a.details ->> 'dag_id' AND e.status = 'COMPLETED' AND e.finished_at > a.opened_at
                    AND e.execution_id IS DISTINCT FROM a.execution_id
                    AND coalesce(e.config ->> 'dry_run', 'false') <> 'true'
                    AND e.duration_seconds <= coalesce((a.details ->> 'deadline_minutes')::numeric * 60, 'infinity'));
