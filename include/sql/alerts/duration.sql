-- DAGs whose running or newest finished run takes or took too long. A missed deadline of the same DAG says it already.
-- Short runs that failed, were dry or had nothing to do are no proof that the work is quick again.
SELECT 'DURATION:' || e.dag_id AS dedupe_key, 'WARNING' AS severity, e.dag_id AS subject,
       format('%%s for %%s minutes (limit %%s).', CASE e.status WHEN 'RUNNING' THEN 'Running' ELSE 'Ran' END, e.minutes, %(duration_minutes)s::numeric) AS message,
       'See on the page what it waits for: an empty budget, a slow API (latency chart), or simply a large backfill.' AS hint,
       jsonb_build_object('dag_id', e.dag_id, 'minutes', e.minutes, 'status', e.status) AS details,
       e.execution_id, NULL::bigint AS league_id, NULL::bigint AS season_id
FROM (SELECT DISTINCT ON (dag_id) *
      FROM etl.etl_executions
      CROSS JOIN LATERAL (SELECT round(coalesce(duration_seconds, extract(epoch FROM %(now)s::timestamptz - started_at)::numeric - idle_seconds) / 60, 1)) m(minutes)
      WHERE status <> 'CANCELLED' AND ((status <> 'FAILED' AND (status = 'RUNNING' OR total_fixtures > 0)) OR m.minutes > %(duration_minutes)s::numeric)
        AND coalesce(config ->> 'dry_run', 'false') <> 'true' AND started_at > %(now)s::timestamptz - interval '30 days'
        AND dag_id IS NOT NULL AND (%(dag_id)s::text IS NULL OR dag_id = %(dag_id)s)
        -- A run that has just begun says nothing yet about the one before it.
        AND (status <> 'RUNNING' OR started_at < %(now)s::timestamptz - make_interval(secs => %(duration_minutes)s::double precision * 60 + idle_seconds::double precision))
      ORDER BY dag_id, started_at DESC) e
WHERE e.minutes > %(duration_minutes)s::numeric
  AND NOT EXISTS (SELECT 1 FROM etl.etl_alerts a
                  WHERE a.kind = 'DEADLINE' AND a.status <> 'RESOLVED' AND a.details ->> 'dag_id' = e.dag_id);
