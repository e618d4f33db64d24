-- The state of everything in one row. Log lines of 24 hours are taken from the span of their ids (no gaps but lost
-- batches), because counting hundreds of thousands of rows on every look would cost more than the answer is worth.
SELECT h.total_executions, h.running_executions, h.completed_executions, h.failed_executions, h.cancelled_executions,
       h.avg_duration_seconds, h.avg_success_rate, h.last_execution_at, l.logs_24h, r.errors_24h,
       a.open_alerts, a.acknowledged_alerts, a.critical_alerts,
       c.chunks, c.leagues, c.total_fixtures, c.collected_fixtures, c.settled_fixtures, d.due_fixtures, c.failed_fixtures,
       c.failed_chunks, c.failed_rereads, c.suspected_indexes, u.suspected_fixtures, c.last_collected_at, n.last_completed_at, w.failed_24h, h.first_execution_at, v.watched_at,
       %(now)s::timestamptz AS now
FROM (SELECT count(*) AS total_executions, count(*) FILTER (WHERE status = 'RUNNING') AS running_executions,
             count(*) FILTER (WHERE status = 'COMPLETED') AS completed_executions,
             count(*) FILTER (WHERE status = 'FAILED') AS failed_executions,
             count(*) FILTER (WHERE status = 'CANCELLED') AS cancelled_executions,
             round(avg(duration_seconds), 1) AS avg_duration_seconds,
             round(avg(100.0 * successful_fixtures / processed_fixtures) FILTER (WHERE processed_fixtures > 0), 1) AS avg_success_rate,
             min(started_at) AS first_execution_at, max(started_at) AS last_execution_at
      FROM etl.etl_executions) h
CROSS JOIN (SELECT coalesce((SELECT max(log_id) FROM etl.etl_logs)
                - (SELECT log_id FROM etl.etl_logs WHERE timestamp > %(now)s::timestamptz - interval '24 hours'
                   ORDER BY timestamp, log_id LIMIT 1) + 1, 0) AS logs_24h) l
CROSS JOIN (SELECT count(*) AS errors_24h FROM etl.etl_logs
            WHERE level IN ('ERROR', 'CRITICAL') AND timestamp > %(now)s::timestamptz - interval '24 hours') r
CROSS JOIN (SELECT count(*) FILTER (WHERE status = 'OPEN') AS open_alerts,
                   count(*) FILTER (WHERE status = 'ACKNOWLEDGED') AS acknowledged_alerts,
                   count(*) FILTER (WHERE severity = 'CRITICAL') AS critical_alerts
            FROM etl.etl_alerts WHERE status <> 'RESOLVED') a
CROSS JOIN (SELECT count(*) AS chunks, count(DISTINCT league_id) AS leagues, coalesce(sum(total_fixtures), 0) AS total_fixtures,
                   coalesce(sum(collected_fixtures), 0) AS collected_fixtures, coalesce(sum(settled_fixtures), 0) AS settled_fixtures,
                   coalesce(sum(failed_fixtures), 0) AS failed_fixtures,
                   count(*) FILTER (WHERE state = 'FAILED') AS failed_chunks,
                   count(*) FILTER (WHERE status = 'FAILED' AND state <> 'FAILED') AS failed_rereads,
                   count(*) FILTER (WHERE doubtful_indexes > 0) AS suspected_indexes, max(last_collected_at) AS last_collected_at
            FROM (SELECT k.*, etl.season_state(k.status, k.indexed_at IS NULL, k.total_fixtures, k.collected_fixtures,
                                               CASE WHEN k.status = 'FAILED' THEN
                                                   (SELECT count(*) FROM football.fixture_schedule s
                                                    WHERE s.league_id = k.league_id AND s.season_id = k.season_id
                                                      AND s.next_due_at <= %(now)s::timestamptz) ELSE 0 END,
                                               k.failed_fixtures) AS state
                  FROM etl.chunks k WHERE k.deactivated_at IS NULL) k) c
CROSS JOIN (SELECT count(*) AS due_fixtures FROM football.fixture_schedule WHERE next_due_at <= %(now)s::timestamptz) d
CROSS JOIN (SELECT count(*) AS suspected_fixtures FROM football.suspected_fixtures f
            JOIN etl.chunks k ON k.league_id = f.league_id AND k.season_id = f.season_id AND k.deactivated_at IS NULL) u
-- etl_watch writes this metric whenever it has run the alert rules.
CROSS JOIN (SELECT max(timestamp) AS watched_at FROM etl.etl_metrics WHERE metric_name = 'alerts_live') v
CROSS JOIN (SELECT max(finished_at) AS last_completed_at FROM etl.etl_executions WHERE status = 'COMPLETED') n
CROSS JOIN (SELECT count(*) AS failed_24h FROM etl.etl_executions
            WHERE status = 'FAILED' AND started_at > %(now)s::timestamptz - interval '24 hours') w;
