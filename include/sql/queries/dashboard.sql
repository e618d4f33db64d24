-- Short statements of the page and of the terminal dashboard.

-- name: dashboard/alerts
-- Alerts, newest first, with the DAG run each came from.
SELECT a.alert_id, a.dedupe_key, a.kind, a.severity, a.status, a.subject, a.message, a.hint, a.details, a.execution_id, a.league_id,
       a.season_id, a.opened_at, a.last_seen_at, a.seen_count, a.acknowledged_at, a.acknowledged_by, a.resolved_at, a.notified_at,
       coalesce(e.dag_id, a.details ->> 'dag_id') AS dag_id, coalesce(e.run_id, a.details ->> 'run_id') AS run_id
FROM etl.etl_alerts a LEFT JOIN etl.etl_executions e USING (execution_id)
WHERE (CASE %(state)s::text WHEN 'live' THEN a.status <> 'RESOLVED' WHEN 'resolved' THEN a.status = 'RESOLVED' ELSE true END)
  AND (%(before)s::bigint IS NULL OR a.alert_id < %(before)s)
ORDER BY a.alert_id DESC LIMIT %(limit)s;

-- name: dashboard/backfill
-- Calls, estimate and seasons of the executions whose DAG runs share one id.
SELECT e.execution_id, e.estimate, e.api_calls, e.failed_calls, c.seasons, c.seasons_done, c.failed_seasons
FROM etl.etl_executions e
CROSS JOIN LATERAL (
    SELECT count(*) AS seasons, count(*) FILTER (WHERE x.status = 'COMPLETED') AS seasons_done,
           coalesce(jsonb_agg(jsonb_build_object('league_id', x.league_id, 'season_id', x.season_id,
                                                 'season_name', coalesce(nullif(k.season_name, ''), x.season_id::text),
                                                 'error_message', left(x.error_message, 300)) ORDER BY x.position)
                    FILTER (WHERE x.status = 'FAILED'), '[]') AS failed_seasons
    FROM etl.execution_chunks x LEFT JOIN etl.chunks k USING (league_id, season_id)
    WHERE x.execution_id = e.execution_id AND x.status <> 'SKIPPED') c
WHERE e.run_id = %(run_id)s;

-- name: dashboard/chunk
-- One league and season: its state and the quality of what is stored.
SELECT k.league_id, k.season_id, k.chunk_id, k.league_name, k.season_name, k.status, k.total_fixtures, k.collected_fixtures,
       k.settled_fixtures, q.due_fixtures, k.failed_fixtures, k.priority, k.owner, k.heartbeat_at, k.last_execution_id,
       k.last_collected_at, k.indexed_at, k.index_suspected_at, k.doubtful_indexes, u.suspected_fixtures, k.deactivated_at, k.error_message, q.quality, q.next_due_at, q.first_match, q.last_match
FROM etl.chunks k
CROSS JOIN LATERAL (SELECT round(avg(f.quality_score) FILTER (WHERE f.replaced_by IS NULL), 1) AS quality,
                           min(s.next_due_at) AS next_due_at,
                           count(*) FILTER (WHERE s.next_due_at <= %(now)s::timestamptz) AS due_fixtures,
                           min(f.starting_at) FILTER (WHERE f.replaced_by IS NULL) AS first_match,
                           max(f.starting_at) FILTER (WHERE f.replaced_by IS NULL) AS last_match
                    FROM football.fixtures f LEFT JOIN football.fixture_schedule s ON s.fixture_id = f.id
                    WHERE f.league_id = k.league_id AND f.season_id = k.season_id) q
CROSS JOIN LATERAL (SELECT count(*) AS suspected_fixtures FROM football.suspected_fixtures f
                    WHERE f.league_id = k.league_id AND f.season_id = k.season_id) u
WHERE k.league_id = %(league_id)s AND k.season_id = %(season_id)s;

-- name: dashboard/chunk_checks
-- Quality checks of one league and season in its newest run.
SELECT r.name, r.required, r.success, r.notes, r.checked_at
FROM etl.chunks k JOIN etl.check_results r ON r.execution_id = k.last_execution_id AND r.chunk_id = k.chunk_id
WHERE k.league_id = %(league_id)s AND k.season_id = %(season_id)s
ORDER BY r.success, r.name;

-- name: dashboard/chunk_fixtures
-- Fixtures of one league and season that need something, those in trouble first.
SELECT f.id AS fixture_id, f.name, f.starting_at, coalesce(s.name, f.state_id::text) AS state, f.collection_status,
       f.quality_score, f.last_fetched_at, f.next_due_at, f.due_reason,
       coalesce(left(f.last_error, 300), 'came without ' || f.suspected_sections) AS last_error
FROM football.fixtures f LEFT JOIN football.states s ON s.id = f.state_id
LEFT JOIN football.fixture_schedule d ON d.fixture_id = f.id
WHERE f.league_id = %(league_id)s AND f.season_id = %(season_id)s
  AND (f.collection_status IN ('FAILED', 'MISSING') OR f.held_reads > 0 OR d.next_due_at <= %(now)s
       OR EXISTS (SELECT 1 FROM football.suspected_fixtures u WHERE u.fixture_id = f.id))
ORDER BY f.collection_status IN ('FAILED', 'MISSING') DESC, f.next_due_at LIMIT 50;

-- name: dashboard/chunk_runs
-- The newest runs of one league and season.
SELECT c.execution_id, c.status, c.planned, c.processed, c.saved, c.unchanged, c.failed, c.missing, c.api_calls, c.started_at,
       round(extract(epoch FROM coalesce(c.finished_at, %(now)s::timestamptz) - c.started_at)::numeric, 1) AS duration_seconds,
       left(c.error_message, 300) AS error_message
FROM etl.execution_chunks c
WHERE c.league_id = %(league_id)s AND c.season_id = %(season_id)s AND c.status <> 'SKIPPED'
ORDER BY c.started_at DESC NULLS LAST LIMIT 20;

-- name: dashboard/execution
-- What one execution was started with, what its plan promised, and its calls so far; its figures are in dashboard_executions.
SELECT e.planned_at, e.config, e.estimate, e.error_message, e.api_calls, e.failed_calls, e.bytes, e.missing_fixtures
FROM etl.etl_executions e WHERE e.execution_id = %(execution_id)s;

-- name: dashboard/execution_changes
-- What the provider had changed, as this execution found it.
SELECT section, count(*) AS changes, count(DISTINCT fixture_id) AS fixtures
FROM etl.fixture_changes WHERE execution_id = %(execution_id)s GROUP BY section ORDER BY changes DESC, section;

-- name: dashboard/execution_chunks
-- The chunks of one execution in the order of their priority.
SELECT c.league_id, c.season_id, c.league_id || '_' || c.season_id AS chunk_id, coalesce(k.league_name, '') AS league_name,
       coalesce(k.season_name, '') AS season_name, c.status, c.position, c.priority, c.planned, c.processed, c.saved, c.unchanged,
       c.failed, c.missing, c.api_calls, c.failed_calls, c.bytes, c.tries, c.started_at, c.finished_at,
       round(extract(epoch FROM coalesce(c.finished_at, %(now)s::timestamptz) - c.started_at)::numeric, 1) AS duration_seconds,
       left(c.error_message, 500) AS error_message
FROM etl.execution_chunks c LEFT JOIN etl.chunks k USING (league_id, season_id)
WHERE c.execution_id = %(execution_id)s
ORDER BY c.status = 'SKIPPED', c.position, c.league_id, c.season_id LIMIT 600;

-- name: dashboard/execution_reasons
-- Why the fixtures of one execution were due, and what became of them.
SELECT reason, count(*) AS planned, count(*) FILTER (WHERE status = 'SAVED') AS saved,
       count(*) FILTER (WHERE status = 'UNCHANGED') AS unchanged, count(*) FILTER (WHERE status = 'HELD') AS held,
       count(*) FILTER (WHERE status IN ('FAILED', 'MISSING')) AS failed, count(*) FILTER (WHERE status = 'PENDING') AS pending
FROM etl.execution_fixtures WHERE execution_id = %(execution_id)s
GROUP BY reason ORDER BY planned DESC, reason;

-- name: dashboard/log_components
-- The components that ever logged: one index probe per component instead of a scan.
WITH RECURSIVE names AS (
    (SELECT component FROM etl.etl_logs ORDER BY component LIMIT 1)
    UNION ALL
    SELECT (SELECT l.component FROM etl.etl_logs l WHERE l.component > n.component ORDER BY l.component LIMIT 1)
    FROM names n WHERE n.component IS NOT NULL
)
SELECT component FROM names WHERE component IS NOT NULL LIMIT 200;

-- name: dashboard/metric_names
-- The metrics that were ever recorded: one index probe per name instead of a scan.
WITH RECURSIVE names AS (
    (SELECT metric_name FROM etl.etl_metrics ORDER BY metric_name LIMIT 1)
    UNION ALL
    SELECT (SELECT m.metric_name FROM etl.etl_metrics m WHERE m.metric_name > n.metric_name ORDER BY m.metric_name LIMIT 1)
    FROM names n WHERE n.metric_name IS NOT NULL
)
SELECT metric_name FROM names WHERE metric_name IS NOT NULL LIMIT 500;

-- name: dashboard/metrics
-- Some metrics over time, in buckets of any length; series by entity where a metric has one.
SELECT metric_name, coalesce(tags ->> 'entity', '') AS series,
       extract(epoch FROM date_bin(make_interval(secs => %(bucket_seconds)s), timestamp, %(since)s::timestamptz))::bigint AS bucket,
       avg(metric_value) AS mean, max(metric_value) AS maximum, min(metric_value) AS minimum, sum(metric_value) AS total, count(*) AS samples
FROM etl.etl_metrics
WHERE metric_name = ANY(%(names)s::text[]) AND timestamp >= %(since)s::timestamptz
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- name: dashboard/metrics_summary
-- Each metric of a time, or of one execution, in one line.
SELECT metric_name, max(metric_unit) AS unit, avg(metric_value) AS mean, max(metric_value) AS maximum, min(metric_value) AS minimum,
       count(*) AS samples, max(timestamp) AS last_at
FROM etl.etl_metrics
WHERE (%(since)s::timestamptz IS NULL OR timestamp >= %(since)s) AND (%(execution_id)s::text IS NULL OR execution_id = %(execution_id)s)
GROUP BY metric_name ORDER BY metric_name;

-- name: dashboard/routes
-- Raw routes with their newest runs; those come first that failed, may be short, or have been without a success for too long.
SELECT v.*, w.hours IS NOT NULL AS scheduled,
       coalesce(greatest(v.last_success_at, r.created_at)
                < %(now)s::timestamptz - make_interval(secs => %(stale_route_intervals)s::double precision * w.hours * 3600), false) AS stale
FROM etl.raw_route_status v
JOIN etl.raw_routes r ON r.client = v.client AND r.route = v.route
LEFT JOIN jsonb_to_recordset(%(routes)s::jsonb) AS w (name text, hours double precision) ON w.name = v.name
ORDER BY (v.status = 'failed') DESC NULLS LAST, stale DESC, (v.unproven > 0) DESC, v.name;
