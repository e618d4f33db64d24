-- DAGs whose newest completed run stored too small a share of what it planned, other than by failures, which
-- ERROR_RATE reports: fixtures that the API did not return, or that were never worked on.
SELECT 'SUCCESS_RATE:' || e.dag_id AS dedupe_key, 'WARNING' AS severity, e.dag_id AS subject,
       format('%%s of %%s planned fixtures are stored (%%s %%%%, at least %%s %%%% wanted).', e.successful_fixtures, e.total_fixtures, e.rate, %(success_rate_percent)s::numeric) AS message,
       'Look at the fixtures marked MISSING in the run''s seasons: the provider may have withdrawn them, or the plan does not cover them.' AS hint,
       jsonb_build_object('dag_id', e.dag_id, 'success_rate', e.rate, 'successful', e.successful_fixtures, 'planned', e.total_fixtures) AS details,
       e.execution_id, NULL::bigint AS league_id, NULL::bigint AS season_id
FROM (SELECT DISTINCT ON (dag_id) *, round(100.0 * successful_fixtures / nullif(total_fixtures, 0), 1) AS rate,
             coalesce(100.0 * failed_fixtures / nullif(processed_fixtures, 0), 0) AS error_rate
      FROM etl.etl_executions
      WHERE status = 'COMPLETED' AND coalesce(config ->> 'dry_run', 'false') <> 'true'
        AND started_at > %(now)s::timestamptz - interval '30 days'
        AND total_fixtures > 0 -- a run without work proves nothing
        AND dag_id IS NOT NULL AND (%(dag_id)s::text IS NULL OR dag_id = %(dag_id)s)
      ORDER BY dag_id, started_at DESC) e
WHERE e.rate < %(success_rate_percent)s::numeric AND e.error_rate <= %(error_rate_percent)s::numeric;
