-- DAGs whose newest finished runs all failed, so many in a row.
SELECT 'CONSECUTIVE_FAILURES:' || d.dag_id AS dedupe_key, 'CRITICAL' AS severity, d.dag_id AS subject,
       format('The last %%s runs failed; the newest: %%s', d.failures, coalesce(nullif(left(d.last_error, 300), ''), 'no reason noted')) AS message,
       'Open the newest run, correct what its first failed task names, then clear "only failed".' AS hint,
       jsonb_build_object('dag_id', d.dag_id, 'failures', d.failures, 'since', d.since) AS details,
       d.execution_id, NULL::bigint AS league_id, NULL::bigint AS season_id
FROM (SELECT i.dag_id, count(*) AS failures, bool_and(r.status = 'FAILED') AS all_failed, min(r.started_at) AS since,
             (array_agg(r.error_message ORDER BY r.started_at DESC))[1] AS last_error,
             (array_agg(r.execution_id ORDER BY r.started_at DESC))[1] AS execution_id
      FROM (SELECT DISTINCT dag_id FROM etl.etl_executions
            WHERE started_at > %(now)s::timestamptz - interval '30 days'
              AND dag_id IS NOT NULL AND (%(dag_id)s::text IS NULL OR dag_id = %(dag_id)s)) i
      CROSS JOIN LATERAL (SELECT * FROM etl.etl_executions e
                          WHERE e.dag_id = i.dag_id AND e.status IN ('COMPLETED', 'FAILED')
                            AND coalesce(e.config ->> 'dry_run', 'false') <> 'true'
                          ORDER BY e.started_at DESC LIMIT %(consecutive_failures)s::int) r
      GROUP BY i.dag_id) d
WHERE d.all_failed AND d.failures >= %(consecutive_failures)s::int;
