-- DAGs whose newest finished run failed to store more than a share of the fixtures it worked on. After 30 days without
-- a run (the league may be gone) it says nothing any more; so in all rules about runs.
SELECT 'ERROR_RATE:' || e.dag_id AS dedupe_key,
       CASE WHEN e.rate >= 50 THEN 'CRITICAL' ELSE 'WARNING' END AS severity,
       e.dag_id AS subject,
       format('%%s of %%s fixtures failed (%%s %%%%, limit %%s %%%%).', e.failed_fixtures, e.processed_fixtures, e.rate, %(error_rate_percent)s::numeric) AS message,
       'Open the run: the failed season names its error; clear that group when the cause is gone.' AS hint,
       jsonb_build_object('dag_id', e.dag_id, 'error_rate', e.rate, 'failed', e.failed_fixtures, 'processed', e.processed_fixtures) AS details,
       e.execution_id, NULL::bigint AS league_id, NULL::bigint AS season_id
FROM (SELECT DISTINCT ON (dag_id) *, round(100.0 * failed_fixtures / nullif(processed_fixtures, 0), 1) AS rate
      FROM etl.etl_executions
      WHERE status IN ('COMPLETED', 'FAILED') AND coalesce(config ->> 'dry_run', 'false') <> 'true'
        AND started_at > %(now)s::timestamptz - interval '30 days'
        AND processed_fixtures > 0 -- a run without work proves nothing
        AND dag_id IS NOT NULL AND (%(dag_id)s::text IS NULL OR dag_id = %(dag_id)s)
      ORDER BY dag_id, started_at DESC) e
WHERE e.rate > %(error_rate_percent)s::numeric;
