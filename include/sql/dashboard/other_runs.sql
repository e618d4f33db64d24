-- Runs of the catalog, of its lists of seasons and of raw routes, newest first, in the columns of the leagues' runs as far as
-- they have them. All collectors of one execution are one run, which the first of them stands for; lists that a league's run
-- has read belong to that run. Runs without an execution are those of a collector in somebody's own code.
WITH listed AS (
    SELECT r.run_id, r.execution_id, coalesce(r.execution_id, 'collector-' || r.run_id) AS id, r.started_at,
           CASE WHEN r.collector_name LIKE 'raw\_%%' THEN 'route'
                WHEN r.collector_name IN ('leagues', 'seasons') OR r.collector_name ~ '^(reference|structure):' THEN 'catalog'
                ELSE 'collector' END AS kind,
           r.collector_name
    FROM etl.collector_runs r
    WHERE r.collector_name NOT LIKE 'chunk:%%'
      AND (%(before)s::timestamptz IS NULL OR r.started_at <= %(before)s::timestamptz)
      AND (%(status)s::text IS NULL OR r.status = CASE %(status)s::text WHEN 'COMPLETED' THEN 'success' ELSE lower(%(status)s COLLATE "C") END)
      AND (%(execution_id)s::text IS NULL OR r.execution_id = %(execution_id)s
           OR r.execution_id IS NULL AND 'collector-' || r.run_id = %(execution_id)s)
      AND (%(suffix)s::text IS NULL OR right(r.execution_id, 6) = %(suffix)s)
      AND NOT EXISTS (SELECT 1 FROM etl.etl_executions e WHERE e.execution_id = r.execution_id)
      AND NOT EXISTS (SELECT 1 FROM etl.collector_runs o
                      WHERE o.execution_id = r.execution_id AND o.collector_name NOT LIKE 'chunk:%%'
                        AND (o.started_at, o.run_id) < (r.started_at, r.run_id)
                        AND (%(status)s::text IS NULL OR o.status = r.status))
)
SELECT x.kind, x.id AS execution_id,
       CASE x.kind WHEN 'catalog' THEN 'sportmonks_catalog' WHEN 'route' THEN x.collector_name END AS dag_id,
       CASE x.kind WHEN 'collector' THEN x.collector_name END AS collector, o.run_id, o.run_type, o.triggered_by, f.status, x.started_at, f.finished_at,
       round(extract(epoch FROM coalesce(f.finished_at, %(now)s::timestamptz) - x.started_at)::numeric, 1) AS duration_seconds,
       f.records, f.new_records, f.failed_records, f.api_calls, f.failed_calls, f.error_message
FROM listed x
LEFT JOIN etl.run_origins o USING (execution_id)
CROSS JOIN LATERAL (
    SELECT CASE WHEN bool_or(a.status = 'running') THEN 'RUNNING' WHEN bool_or(a.status = 'failed') THEN 'FAILED' ELSE 'COMPLETED' END AS status,
           CASE WHEN NOT bool_or(a.status = 'running') THEN max(a.completed_at) END AS finished_at,
           sum(a.records_processed) AS records, sum(a.records_inserted) AS new_records, sum(a.records_failed) AS failed_records,
           sum(a.api_calls) AS api_calls, sum(a.failed_calls) AS failed_calls,
           left(string_agg(CASE WHEN x.kind = 'catalog' THEN a.collector_name || ': ' ELSE '' END || a.error_message, '; ' ORDER BY a.run_id)
                    FILTER (WHERE a.status = 'failed'), 500) AS error_message
    FROM etl.collector_runs a
    WHERE a.run_id = x.run_id OR (a.execution_id = x.execution_id AND a.collector_name NOT LIKE 'chunk:%%')) f
WHERE (%(status)s::text IS NULL OR f.status = %(status)s)
  AND (%(kind)s::text IS NULL OR x.kind = %(kind)s)
  AND (%(before)s::timestamptz IS NULL OR (x.started_at, x.id) < (%(before)s::timestamptz, %(before_id)s::text))
ORDER BY x.started_at DESC, x.id DESC
LIMIT %(limit)s;
