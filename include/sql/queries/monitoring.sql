-- Executions, events and metrics, as ETLMonitor writes and reads them.

-- name: monitoring/record_origin
-- How and by whom a DAG run was started; its first task to say so is believed.
INSERT INTO etl.run_origins (execution_id, dag_id, run_id, run_type, triggered_by)
VALUES (%(execution_id)s, %(dag_id)s, %(run_id)s, %(run_type)s, %(triggered_by)s)
ON CONFLICT (execution_id) DO NOTHING;

-- name: monitoring/start_execution
-- An execution begins, or is taken up again after a retry: its id.
SELECT etl.start_etl_execution(%(execution_id)s, %(config)s::jsonb, p_dag_id => %(dag_id)s, p_run_id => %(run_id)s)
       AS execution_id;

-- name: monitoring/finish_execution
-- An execution ends: its status. Figures and a status that are null are counted from its plan and chunks.
SELECT etl.finish_etl_execution(
        %(execution_id)s, %(status)s, %(total_fixtures)s, %(processed_fixtures)s, %(successful_fixtures)s,
        %(failed_fixtures)s, %(total_chunks)s, %(processed_chunks)s, %(error_message)s) AS status;

-- name: monitoring/heartbeat
-- Sign of life of an execution; no row when there is no such execution.
UPDATE etl.etl_executions SET heartbeat_at = clock_timestamp() WHERE execution_id = %(execution_id)s
RETURNING 1 AS alive;

-- name: monitoring/execution_summary
-- Status, durations and figures of one execution, of the newest one without an id.
SELECT * FROM etl.get_etl_execution_summary(%(execution_id)s);

-- name: monitoring/health_status
-- Counts by status and means over all executions, log lines and errors of 24 hours.
SELECT * FROM etl.get_etl_health_status();

-- name: monitoring/copy_logs
-- Buffered log lines, as one stream.
COPY etl.etl_logs (timestamp, level, component, message, details, execution_id, chunk_id, fixture_id, duration_ms)
FROM STDIN;

-- name: monitoring/copy_metrics
-- Buffered metrics, as one stream.
COPY etl.etl_metrics (timestamp, execution_id, metric_name, metric_value, metric_unit, tags) FROM STDIN;
