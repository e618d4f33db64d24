-- Short statements of the page and of the terminal dashboard.

-- name: dashboard/alerts
-- Alerts, newest first, with the DAG run each came from and up to three of the fixtures that it is about.
SELECT a.alert_id, a.dedupe_key, a.kind, a.severity, a.status, a.subject, a.message, a.hint, a.details, a.execution_id, a.league_id,
       a.season_id, a.opened_at, a.last_seen_at, a.seen_count, a.acknowledged_at, a.acknowledged_by, a.resolved_at, a.notified_at,
       coalesce(e.dag_id, a.details ->> 'dag_id') AS dag_id, coalesce(e.run_id, a.details ->> 'run_id') AS run_id,
       (SELECT jsonb_agg(jsonb_build_object('fixture_id', x.fixture_id, 'name', x.name)) FROM (
            SELECT f.id AS fixture_id, f.name FROM football.fixtures f
            WHERE a.kind = 'QUALITY_CHECKS' AND f.league_id = a.league_id AND f.season_id = a.season_id
              AND f.collection_status IN ('FAILED', 'MISSING')
            UNION ALL
            SELECT u.fixture_id, u.name FROM football.suspected_fixtures u
            WHERE a.kind = 'SUSPECTED_DATA' AND u.league_id = a.league_id AND u.confirmed
            ORDER BY 1 LIMIT 3) x
        WHERE a.status <> 'RESOLVED') AS fixtures
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
SELECT k.league_id, k.season_id, k.chunk_id, k.league_name, k.season_name, s.status, k.total_fixtures, k.collected_fixtures,
       etl.season_state(s.status, k.indexed_at IS NULL AND k.index_suspected_at IS NULL, k.total_fixtures,
                        k.collected_fixtures, q.due_fixtures, k.failed_fixtures) AS state,
       k.settled_fixtures, q.due_fixtures, k.failed_fixtures, k.priority, k.owner, k.heartbeat_at, k.last_execution_id,
       k.last_collected_at, k.indexed_at, k.index_suspected_at, k.doubtful_indexes, u.suspected_fixtures, k.deactivated_at, k.error_message, q.quality, q.next_due_at, q.first_match, q.last_match
FROM etl.chunks k
LEFT JOIN etl.etl_executions e ON k.status = 'RUNNING' AND e.execution_id = k.last_execution_id
CROSS JOIN LATERAL (SELECT CASE WHEN e.status <> 'RUNNING' THEN 'FAILED' ELSE k.status END AS status) s
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
       coalesce(left(f.last_error, 300), 'came without ' || f.suspected_sections) AS last_error, count(*) OVER () AS total
FROM football.fixtures f LEFT JOIN football.states s ON s.id = f.state_id
LEFT JOIN football.fixture_schedule d ON d.fixture_id = f.id
WHERE f.league_id = %(league_id)s AND f.season_id = %(season_id)s
  AND (f.collection_status IN ('FAILED', 'MISSING') OR f.held_reads > 0 OR d.next_due_at <= %(now)s
       OR EXISTS (SELECT 1 FROM football.suspected_fixtures u WHERE u.fixture_id = f.id))
ORDER BY f.collection_status IN ('FAILED', 'MISSING') DESC, f.next_due_at, f.id LIMIT %(limit)s;

-- name: dashboard/chunk_runs
-- The newest runs of one league and season. One that is called RUNNING although its execution is over was stopped.
SELECT c.execution_id, CASE WHEN c.status = 'RUNNING' AND e.status <> 'RUNNING' THEN 'FAILED' ELSE c.status END AS status,
       coalesce(e.run_type, '') AS run_type, e.run_id, c.planned, c.processed, c.saved, c.unchanged, c.failed, c.missing, c.api_calls, c.started_at,
       round(extract(epoch FROM coalesce(c.finished_at, %(now)s::timestamptz) - c.started_at)::numeric - c.idle_seconds, 1) AS duration_seconds,
       left(c.error_message, 300) AS error_message, count(*) OVER () AS total
FROM etl.execution_chunks c LEFT JOIN etl.etl_executions e USING (execution_id)
WHERE c.league_id = %(league_id)s AND c.season_id = %(season_id)s AND c.status <> 'SKIPPED'
ORDER BY c.started_at DESC NULLS LAST, c.execution_id LIMIT %(limit)s;

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
       coalesce(k.season_name, '') AS season_name,
       CASE WHEN c.status = 'RUNNING' AND e.status <> 'RUNNING' THEN 'FAILED' ELSE c.status END AS status, c.position, c.priority, c.planned, c.processed, c.saved, c.unchanged,
       c.failed, c.missing, c.api_calls, c.failed_calls, c.bytes, c.tries, c.started_at, c.finished_at,
       round(extract(epoch FROM coalesce(c.finished_at, %(now)s::timestamptz) - c.started_at)::numeric - c.idle_seconds, 1) AS duration_seconds,
       left(c.error_message, 500) AS error_message
FROM etl.execution_chunks c JOIN etl.etl_executions e USING (execution_id)
LEFT JOIN etl.chunks k ON k.league_id = c.league_id AND k.season_id = c.season_id
WHERE c.execution_id = %(execution_id)s
ORDER BY c.status = 'SKIPPED', c.position, c.league_id, c.season_id;

-- name: dashboard/execution_reasons
-- Why the fixtures of one execution were due, and what became of them.
SELECT reason, count(*) AS planned, count(*) FILTER (WHERE status = 'SAVED') AS saved,
       count(*) FILTER (WHERE status = 'UNCHANGED') AS unchanged, count(*) FILTER (WHERE status = 'HELD') AS held,
       count(*) FILTER (WHERE status IN ('FAILED', 'MISSING')) AS failed, count(*) FILTER (WHERE status = 'PENDING') AS pending
FROM etl.execution_fixtures WHERE execution_id = %(execution_id)s
GROUP BY reason ORDER BY planned DESC, reason;

-- name: dashboard/fixture
-- One fixture: result, place, and where its collection stands.
SELECT f.id AS fixture_id, f.league_id, f.season_id, coalesce(l.name, k.league_name) AS league_name,
       coalesce(s.name, k.season_name) AS season_name, f.name, f.starting_at, coalesce(t.name, f.state_id::text) AS state,
       coalesce(h.name, hp.name) AS home_team, coalesce(a.name, ap.name) AS away_team, f.home_goals, f.away_goals, f.result_info,
       r.half_time_home_goals, r.half_time_away_goals, r.extra_time_home_goals, r.extra_time_away_goals, r.penalties_home, r.penalties_away,
       g.name AS stage, d.name AS round, v.name AS venue, f.collection_status, f.quality_score, f.first_fetched_at, f.last_fetched_at,
       f.last_requested_at, f.last_changed_at, f.unchanged_reads, f.held_reads, f.missing_reads, f.failed_reads, f.last_error,
       f.suspected_sections, f.suspected_at, f.index_changed_at, f.index_missing_at, f.replaced_by, f.deleted_at,
       n.next_due_at, n.due_reason, p.includes, p.collected_at AS payload_at
FROM football.fixtures f
LEFT JOIN football.fixture_results r ON r.fixture_id = f.id
LEFT JOIN football.fixture_schedule n ON n.fixture_id = f.id
LEFT JOIN etl.chunks k ON k.league_id = f.league_id AND k.season_id = f.season_id
LEFT JOIN football.leagues l ON l.id = f.league_id
LEFT JOIN football.seasons s ON s.id = f.season_id
LEFT JOIN football.states t ON t.id = f.state_id
LEFT JOIN football.teams h ON h.id = f.home_team_id
LEFT JOIN football.teams a ON a.id = f.away_team_id
LEFT JOIN football.fixture_participants hp ON hp.fixture_id = f.id AND hp.team_id = f.home_team_id
LEFT JOIN football.fixture_participants ap ON ap.fixture_id = f.id AND ap.team_id = f.away_team_id
LEFT JOIN football.stages g ON g.id = f.stage_id
LEFT JOIN football.rounds d ON d.id = f.round_id
LEFT JOIN football.venues v ON v.id = f.venue_id
LEFT JOIN raw.fixtures p ON p.fixture_id = f.id
WHERE f.id = %(fixture_id)s;

-- name: dashboard/fixture_sections
-- What a fixture has in each section: rows of the tables, and of the payload where it is a list there.
SELECT coalesce(t.section, p.section) AS section, t.stored, p.sent, t.section IS NOT NULL AS has_table
FROM (SELECT 'participants' AS section, 1 AS place, (SELECT count(*) FROM football.fixture_participants WHERE fixture_id = %(fixture_id)s) AS stored
      UNION ALL SELECT 'scores', 2, (SELECT count(*) FROM football.fixture_scores WHERE fixture_id = %(fixture_id)s)
      UNION ALL SELECT 'events', 3, (SELECT count(*) FROM football.fixture_events WHERE fixture_id = %(fixture_id)s)
      UNION ALL SELECT 'lineups', 4, (SELECT count(*) FROM football.fixture_lineups WHERE fixture_id = %(fixture_id)s)
      UNION ALL SELECT 'statistics', 5, (SELECT count(*) FROM football.fixture_statistics WHERE fixture_id = %(fixture_id)s)
      UNION ALL SELECT 'player_statistics', 6, (SELECT count(*) FROM football.fixture_player_statistics WHERE fixture_id = %(fixture_id)s)
      UNION ALL SELECT 'periods', 7, (SELECT count(*) FROM football.fixture_periods WHERE fixture_id = %(fixture_id)s)) t
FULL JOIN (SELECT e.key AS section, jsonb_array_length(e.value) AS sent
           FROM raw.fixtures r CROSS JOIN LATERAL jsonb_each(r.payload) e
           WHERE r.fixture_id = %(fixture_id)s AND jsonb_typeof(e.value) = 'array') p ON p.section = t.section
ORDER BY t.place, p.section;

-- name: dashboard/fixture_participants
-- The teams of a fixture.
SELECT p.location, coalesce(t.name, p.name) AS team, p.team_id, p.winner, p.position
FROM football.fixture_participants p LEFT JOIN football.teams t ON t.id = p.team_id
WHERE p.fixture_id = %(fixture_id)s ORDER BY p.location DESC NULLS LAST, p.team_id;

-- name: dashboard/fixture_scores
-- The scores of a fixture by part of the match.
SELECT s.description, s.participant, s.goals, y.name AS type, s.type_id
FROM football.fixture_scores s LEFT JOIN football.types y ON y.id = s.type_id
WHERE s.fixture_id = %(fixture_id)s ORDER BY s.description, s.participant DESC, s.id;

-- name: dashboard/fixture_events
-- The events of a fixture in the order in which they happened.
SELECT p.description AS period, e.minute, e.extra_minute, coalesce(y.name, e.type_id::text) AS event, d.name AS detail,
       coalesce(t.name, e.participant_id::text) AS team, e.player_name AS player, e.related_player_name AS related_player,
       e.result, e.info, e.addition, e.rescinded
FROM football.fixture_events e
LEFT JOIN football.fixture_periods p ON p.fixture_id = e.fixture_id AND p.id = e.period_id
LEFT JOIN football.types y ON y.id = e.type_id
LEFT JOIN football.types d ON d.id = e.sub_type_id
LEFT JOIN football.teams t ON t.id = e.participant_id
WHERE e.fixture_id = %(fixture_id)s
ORDER BY p.counts_from, e.minute, e.extra_minute NULLS FIRST, e.sort_order, e.id;

-- name: dashboard/fixture_lineups
-- The squads of a fixture: who started, then who sat on the bench.
SELECT coalesce(t.name, p.team_id::text) AS team, p.jersey_number AS number, p.player_name AS player, y.name AS role, q.name AS position,
       p.formation_field AS field, p.player_id
FROM football.fixture_lineups p
LEFT JOIN football.teams t ON t.id = p.team_id
LEFT JOIN football.types y ON y.id = p.type_id
LEFT JOIN football.types q ON q.id = p.position_id
WHERE p.fixture_id = %(fixture_id)s
ORDER BY p.team_id, p.type_id, p.formation_position NULLS LAST, p.jersey_number, p.id;

-- name: dashboard/fixture_statistics
-- The statistics of the teams of a fixture.
SELECT coalesce(y.name, s.type_id::text) AS statistic, s.location, coalesce(t.name, s.participant_id::text) AS team,
       coalesce(s.value::text, s.value_text) AS value
FROM football.fixture_statistics s
LEFT JOIN football.types y ON y.id = s.type_id
LEFT JOIN football.teams t ON t.id = s.participant_id
WHERE s.fixture_id = %(fixture_id)s ORDER BY 1, s.location DESC, s.id;

-- name: dashboard/fixture_player_statistics
-- The statistics of the players of a fixture.
SELECT coalesce(t.name, s.team_id::text) AS team, coalesce(p.player_name, s.player_id::text) AS player,
       coalesce(y.name, s.type_id::text) AS statistic, coalesce(s.value::text, s.value_text) AS value
FROM football.fixture_player_statistics s
LEFT JOIN football.fixture_lineups p ON p.fixture_id = s.fixture_id AND p.id = s.lineup_id
LEFT JOIN football.types y ON y.id = s.type_id
LEFT JOIN football.teams t ON t.id = s.team_id
WHERE s.fixture_id = %(fixture_id)s ORDER BY s.team_id, p.type_id, p.formation_position NULLS LAST, 2, 3, s.id;

-- name: dashboard/fixture_periods
-- The periods of a fixture.
SELECT p.description AS period, p.started_at, p.ended_at, p.minutes, p.time_added, p.counts_from, p.ticking
FROM football.fixture_periods p WHERE p.fixture_id = %(fixture_id)s ORDER BY p.sort_order, p.id;

-- name: dashboard/fixture_payload
-- The newest stored payload of a fixture as text, so that no number loses digits in a browser.
SELECT jsonb_pretty(payload) AS payload, includes, collected_at, updated_at FROM raw.fixtures WHERE fixture_id = %(fixture_id)s;

-- name: dashboard/fixture_reads
-- Every planned reading of a fixture that is still stored, newest first, with its reason and what came of it. Looked up run
-- by run of its league (a fixture may have changed its season), because plans have no index by fixture.
SELECT p.execution_id, e.dag_id, e.run_type, p.reason, p.urgent, p.status, p.error, coalesce(p.done_at, c.started_at) AS at,
       count(*) OVER () AS total
FROM football.fixtures f
JOIN etl.execution_chunks c ON c.league_id = f.league_id AND c.status <> 'SKIPPED'
JOIN etl.execution_fixtures p ON p.execution_id = c.execution_id AND p.season_id = c.season_id AND p.fixture_id = f.id
LEFT JOIN etl.etl_executions e ON e.execution_id = c.execution_id
WHERE f.id = %(fixture_id)s
ORDER BY coalesce(p.done_at, c.started_at) DESC NULLS FIRST, p.execution_id LIMIT %(limit)s;

-- name: dashboard/season_fixtures
-- The fixtures of one league and season in the order of their kick-off.
SELECT f.id AS fixture_id, f.name, f.starting_at, coalesce(s.name, f.state_id::text) AS state, f.home_goals, f.away_goals,
       f.collection_status, f.quality_score, f.last_fetched_at, d.next_due_at, d.due_reason,
       coalesce(d.next_due_at <= %(now)s::timestamptz, false) AS due, f.deleted_at, f.replaced_by, count(*) OVER () AS total
FROM football.fixtures f
LEFT JOIN football.states s ON s.id = f.state_id
LEFT JOIN football.fixture_schedule d ON d.fixture_id = f.id
WHERE f.league_id = %(league_id)s AND f.season_id = %(season_id)s
ORDER BY f.starting_at, f.id LIMIT %(limit)s;

-- name: dashboard/run_collectors
-- The collectors of a run of the catalog or of a raw route, in their order.
SELECT a.collector_name, CASE a.status WHEN 'success' THEN 'COMPLETED' ELSE upper(a.status COLLATE "C") END AS status, a.started_at, a.completed_at,
       round(extract(epoch FROM coalesce(a.completed_at, %(now)s::timestamptz) - a.started_at)::numeric, 1) AS duration_seconds,
       a.records_processed, a.records_inserted, a.records_updated, a.records_unchanged, a.records_failed, a.api_calls, a.failed_calls,
       left(a.error_message, 500) AS error_message
FROM etl.collector_runs a
WHERE a.collector_name NOT LIKE 'chunk:%%'
  AND (a.execution_id = %(execution_id)s OR a.execution_id IS NULL AND 'collector-' || a.run_id = %(execution_id)s)
ORDER BY a.run_id;

-- name: dashboard/failing_collectors
-- Lists, routes and other collectors whose newest finished run has failed, and not longer than a week ago: a route that is
-- gone must not count for ever. One index probe per collector instead of a scan.
WITH RECURSIVE names AS (
    (SELECT collector_name FROM etl.collector_runs
     WHERE collector_name NOT LIKE 'chunk:%%' AND completed_at IS NOT NULL ORDER BY collector_name LIMIT 1)
    UNION ALL
    SELECT (SELECT r.collector_name FROM etl.collector_runs r
            WHERE r.collector_name NOT LIKE 'chunk:%%' AND r.completed_at IS NOT NULL AND r.collector_name > n.collector_name
            ORDER BY r.collector_name LIMIT 1)
    FROM names n WHERE n.collector_name IS NOT NULL
)
SELECT n.collector_name, r.completed_at, r.execution_id, left(r.error_message, 500) AS error_message
FROM names n
CROSS JOIN LATERAL (SELECT * FROM etl.collector_runs r
                    WHERE r.collector_name = n.collector_name AND r.collector_name NOT LIKE 'chunk:%%' AND r.completed_at IS NOT NULL
                    ORDER BY r.completed_at DESC LIMIT 1) r
WHERE r.status = 'failed' AND r.completed_at > %(now)s::timestamptz - interval '7 days'
ORDER BY n.collector_name;

-- name: dashboard/count_runs
-- How many runs a list has, up to a limit; what other_runs.sql lists counts once per execution.
SELECT least((SELECT count(*) FROM etl.etl_executions e
              WHERE (%(kind)s::text IS NULL OR %(kind)s = 'league') AND (%(status)s::text IS NULL OR e.status = %(status)s))
             + (SELECT count(DISTINCT coalesce(c.execution_id, c.run_id::text)) FROM (
                    SELECT r.execution_id, r.run_id FROM etl.collector_runs r
                    WHERE r.collector_name NOT LIKE 'chunk:%%'
                      AND (%(status)s::text IS NULL OR r.status = CASE %(status)s::text WHEN 'COMPLETED' THEN 'success' ELSE lower(%(status)s COLLATE "C") END)
                      AND CASE %(kind)s::text
                          WHEN 'league' THEN false
                          WHEN 'route' THEN r.collector_name LIKE 'raw\_%%'
                          WHEN 'catalog' THEN r.collector_name IN ('leagues', 'seasons') OR r.collector_name ~ '^(reference|structure):'
                          ELSE true END
                      AND NOT EXISTS (SELECT 1 FROM etl.etl_executions e WHERE e.execution_id = r.execution_id)
                      -- A run with one list that failed has failed.
                      AND (%(status)s::text IS NULL
                           OR NOT EXISTS (SELECT 1 FROM etl.collector_runs o
                                          WHERE o.execution_id = r.execution_id AND o.collector_name NOT LIKE 'chunk:%%'
                                            AND CASE %(status)s::text WHEN 'COMPLETED' THEN o.status <> 'success'
                                                WHEN 'FAILED' THEN o.status = 'running' ELSE false END))
                    ORDER BY r.started_at DESC LIMIT %(limit)s) c), %(limit)s) AS total;

-- name: dashboard/count_alerts
-- How many alerts a list has, up to a limit.
SELECT count(*) AS total FROM (
    SELECT 1 FROM etl.etl_alerts a
    WHERE (CASE %(state)s::text WHEN 'live' THEN a.status <> 'RESOLVED' WHEN 'resolved' THEN a.status = 'RESOLVED' ELSE true END)
    LIMIT %(limit)s) counted;

-- name: dashboard/count_changes
-- How many corrections a list has, up to a limit.
SELECT count(*) AS total FROM (
    SELECT 1 FROM etl.fixture_changes
    WHERE (%(league_id)s::bigint IS NULL OR league_id = %(league_id)s)
      AND (%(season_id)s::bigint IS NULL OR season_id = %(season_id)s)
      AND (%(fixture_id)s::bigint IS NULL OR fixture_id = %(fixture_id)s)
      AND (%(execution_id)s::text IS NULL OR execution_id = %(execution_id)s)
    LIMIT %(limit)s) counted;

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

-- name: dashboard/route
-- Whether a DAG is that of a raw route, which has the name of the route.
SELECT name FROM etl.raw_route_status WHERE name = %(dag_id)s LIMIT 1;

-- name: dashboard/routes
-- Raw routes with their newest runs; those come first that failed, may be short, or have been without a success for too long.
SELECT v.*, w.hours IS NOT NULL AS scheduled,
       coalesce(greatest(v.last_success_at, r.created_at)
                < %(now)s::timestamptz - make_interval(secs => %(stale_route_intervals)s::double precision * w.hours * 3600), false) AS stale
FROM etl.raw_route_status v
JOIN etl.raw_routes r ON r.client = v.client AND r.route = v.route
LEFT JOIN jsonb_to_recordset(%(routes)s::jsonb) AS w (name text, hours double precision) ON w.name = v.name
ORDER BY (v.status = 'failed') DESC NULLS LAST, stale DESC, (v.unproven > 0) DESC, v.name;
