-- Alerts with the DAG run they came from, most severe and oldest first.
SELECT a.*, coalesce(e.dag_id, a.details ->> 'dag_id') AS dag_id, coalesce(e.run_id, a.details ->> 'run_id') AS run_id
FROM etl.etl_alerts a LEFT JOIN etl.etl_executions e USING (execution_id)
WHERE a.alert_id = ANY(%(ids)s::bigint[])
ORDER BY array_position(ARRAY['CRITICAL', 'WARNING', 'INFO'], a.severity), a.opened_at, a.alert_id;
