-- What the DAG etl_watch does beside the alert rules.

-- name: housekeeping/record_budget_gauges
-- The calls that are left now in each budget, as metrics.
INSERT INTO etl.etl_metrics (timestamp, metric_name, metric_value, metric_unit, tags)
SELECT %(now)s, 'api_budget_remaining', remaining, 'calls', jsonb_build_object('entity', entity, 'connection', connection)
FROM etl.api_budget_now WHERE remaining IS NOT NULL;

-- name: housekeeping/purge_alerts
-- One batch of resolved alerts older than the retention.
DELETE FROM etl.etl_alerts WHERE alert_id IN (
    SELECT alert_id FROM etl.etl_alerts WHERE status = 'RESOLVED' AND resolved_at < %(before)s ORDER BY alert_id LIMIT %(limit)s);

-- name: housekeeping/purge_answers
-- One batch of answers that no task came back to store, of runs over before the retention. Their fixtures are due still;
-- what a collector is just storing is locked and left to it.
DELETE FROM etl.fetched_answers WHERE answer_id IN (
    SELECT a.answer_id FROM etl.fetched_answers a
    WHERE a.fetched_at < %(before)s
      AND NOT EXISTS (SELECT 1 FROM etl.etl_executions e
                      WHERE e.execution_id = a.execution_id AND (e.status = 'RUNNING' OR e.finished_at >= %(before)s))
    ORDER BY a.fetched_at LIMIT %(limit)s FOR UPDATE OF a SKIP LOCKED);

-- name: housekeeping/purge_buckets
-- One batch of rolled-up metrics older than the retention.
DELETE FROM etl.metric_buckets WHERE ctid IN (
    SELECT ctid FROM etl.metric_buckets WHERE bucket < %(before)s ORDER BY bucket LIMIT %(limit)s);

-- name: housekeeping/purge_collectors
-- One batch of collectors' runs that ended before the retention. Of each collector stay the newest run, the newest success,
-- the newest success with a watermark, and the first success, which the others are measured against.
DELETE FROM etl.collector_runs WHERE run_id IN (
    SELECT r.run_id FROM etl.collector_runs r
    WHERE r.completed_at < %(before)s
      AND EXISTS (SELECT 1 FROM etl.collector_runs n WHERE n.collector_name = r.collector_name
                  AND (n.started_at, n.run_id) > (r.started_at, r.run_id))
      AND (r.status <> 'success'
           OR EXISTS (SELECT 1 FROM etl.collector_runs n WHERE n.collector_name = r.collector_name AND n.status = 'success'
                      AND (n.completed_at, n.run_id) > (r.completed_at, r.run_id)
                      AND (n.watermark IS NOT NULL OR r.watermark IS NULL))
          AND EXISTS (SELECT 1 FROM etl.collector_runs n WHERE n.collector_name = r.collector_name AND n.status = 'success'
                      AND (n.started_at, n.run_id) < (r.started_at, r.run_id)))
    ORDER BY r.completed_at LIMIT %(limit)s);

-- name: housekeeping/purge_logs
-- One batch of log lines older than the retention.
DELETE FROM etl.etl_logs WHERE log_id IN (
    SELECT log_id FROM etl.etl_logs WHERE timestamp < %(before)s ORDER BY timestamp LIMIT %(limit)s);

-- name: housekeeping/purge_metrics
-- One batch of metrics older than the retention.
DELETE FROM etl.etl_metrics WHERE metric_id IN (
    SELECT metric_id FROM etl.etl_metrics WHERE timestamp < %(before)s ORDER BY timestamp LIMIT %(limit)s);

-- name: housekeeping/purge_origins
-- One batch of origins of runs older than the retention whose collectors' runs are deleted.
DELETE FROM etl.run_origins WHERE execution_id IN (
    SELECT o.execution_id FROM etl.run_origins o
    WHERE o.recorded_at < %(before)s
      AND NOT EXISTS (SELECT 1 FROM etl.collector_runs r
                      WHERE r.execution_id = o.execution_id AND r.collector_name NOT LIKE 'chunk:%%')
    ORDER BY o.recorded_at LIMIT %(limit)s);

-- name: housekeeping/purge_plans
-- One batch of planned fixtures of runs finished before the retention; the figures of those runs stay.
DELETE FROM etl.execution_fixtures f USING (
    SELECT p.ctid FROM etl.etl_executions e
    CROSS JOIN LATERAL (SELECT x.ctid FROM etl.execution_fixtures x WHERE x.execution_id = e.execution_id LIMIT %(limit)s) p
    WHERE e.finished_at < %(before)s LIMIT %(limit)s) old
WHERE f.ctid = old.ctid;

-- name: housekeeping/purge_progress
-- One batch of positions of raw routes' runs that have not moved since before the retention.
DELETE FROM etl.route_progress WHERE ctid IN (
    SELECT ctid FROM etl.route_progress WHERE updated_at < %(before)s LIMIT %(limit)s);

-- name: housekeeping/purge_refusals
-- One batch of includes that the plan refused before the retention; a refusal counts for days only.
DELETE FROM etl.forbidden_includes WHERE ctid IN (
    SELECT ctid FROM etl.forbidden_includes WHERE learnt_at < %(before)s LIMIT %(limit)s);

-- name: housekeeping/purge_executions
-- One batch of runs that ended before the retention, with their seasons and checks. A run stays while it has a plan or a
-- season refers to it as its last, and the newest of each DAG stays.
WITH old AS (
    SELECT e.execution_id FROM etl.etl_executions e
    WHERE e.status <> 'RUNNING' AND e.finished_at < %(before)s
      AND NOT EXISTS (SELECT 1 FROM etl.execution_fixtures f WHERE f.execution_id = e.execution_id)
      AND NOT EXISTS (SELECT 1 FROM etl.chunks k WHERE k.last_execution_id = e.execution_id)
      AND EXISTS (SELECT 1 FROM etl.etl_executions n WHERE n.dag_id IS NOT DISTINCT FROM e.dag_id
                  AND (n.started_at, n.execution_id) > (e.started_at, e.execution_id))
    ORDER BY e.finished_at LIMIT %(limit)s / 20
), seasons AS (
    DELETE FROM etl.execution_chunks c USING old WHERE c.execution_id = old.execution_id
), checks AS (
    DELETE FROM etl.check_results r USING old WHERE r.execution_id = old.execution_id
)
DELETE FROM etl.etl_executions e USING old WHERE e.execution_id = old.execution_id;

-- name: housekeeping/purge_rejects
-- One batch of rejected records of raw routes older than the retention. Their ids rise with time.
DELETE FROM etl.route_rejects WHERE reject_id IN (
    SELECT reject_id FROM (SELECT reject_id, rejected_at FROM etl.route_rejects ORDER BY reject_id LIMIT %(limit)s) oldest
    WHERE rejected_at < %(before)s);

-- name: housekeeping/purge_changes
-- One batch of the provider's corrections older than the retention.
DELETE FROM etl.fixture_changes WHERE change_id IN (
    SELECT change_id FROM etl.fixture_changes WHERE changed_at < %(before)s ORDER BY changed_at LIMIT %(limit)s);

-- name: housekeeping/has_tables
-- Have the migrations run here?
SELECT to_regclass('etl.etl_alerts') IS NOT NULL;

-- name: housekeeping/silent_executions
-- Which running executions have shown no sign of life for so many minutes?
SELECT execution_id, dag_id, run_id, last_sign_at FROM etl.silent_executions(%(minutes)s, %(now)s);

-- name: housekeeping/close_left_chunks
-- Closes seasons that are still called RUNNING although their execution has ended: how many?
SELECT coalesce(sum(etl.close_open_chunks(o.execution_id, %(reason)s, %(now)s)), 0)
FROM (SELECT DISTINCT e.execution_id FROM etl.chunks c JOIN etl.etl_executions e ON e.execution_id = c.last_execution_id
      WHERE c.status = 'RUNNING' AND e.status <> 'RUNNING'
        AND greatest(c.heartbeat_at, e.finished_at) < %(now)s - make_interval(secs => %(seconds)s)) o;

-- name: housekeeping/close_dead_execution
-- Closes an execution that is dead as FAILED; false when it has shown life since.
SELECT etl.close_dead_execution(%(execution_id)s, %(reason)s, %(last_sign_at)s, %(now)s);

-- name: housekeeping/close_abandoned_collector_runs
-- Closes runs of collectors that were killed: how many?
SELECT etl.close_abandoned_collector_runs(p_now => %(now)s);

-- name: housekeeping/record_alerts_live
-- How many alerts are live, as a metric; the page reads from it that the alert rules are run.
SELECT etl.record_etl_metric(NULL, 'alerts_live', %(count)s, 'alerts', '{}', %(now)s);

-- name: housekeeping/roll_up_metrics
-- Brings the five-minute buckets of the metrics up to date: how many were written?
SELECT etl.roll_up_metrics(%(now)s);
