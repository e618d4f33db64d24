-- Includes that are configured now and that the plan refuses: what they hold is not collected. A refusal counts once a
-- second run has confirmed it, and for seven days. Without a list of what is configured (null), every refusal counts.
SELECT format('INCLUDES_REFUSED:%%s:%%s', f.connection, f.entity) AS dedupe_key, 'WARNING' AS severity,
       format('Includes of %%s', f.entity) AS subject,
       format('The API refuses %%s: nothing of it is collected.', string_agg(f.include, ', ' ORDER BY f.include)) AS message,
       'Take it out of the includes (include/catalog.yaml or ETL_INCLUDES), or ask the provider for a plan that covers it.' AS hint,
       jsonb_build_object('connection', f.connection, 'includes', jsonb_agg(f.include ORDER BY f.include),
                          'message', (array_agg(f.message ORDER BY f.learnt_at DESC))[1]) AS details,
       NULL::text AS execution_id, NULL::bigint AS league_id, NULL::bigint AS season_id
FROM etl.forbidden_includes f
WHERE f.confirmed AND f.learnt_at > %(now)s::timestamptz - interval '7 days'
  AND (%(configured)s::jsonb IS NULL
       OR EXISTS (SELECT 1 FROM jsonb_to_recordset(%(configured)s::jsonb) AS c(entity text, include text)
                  WHERE c.entity = f.entity
                    AND position('.' || f.include || '.' IN '.' || lower(split_part(c.include, ':', 1) COLLATE "C") || '.') > 0))
GROUP BY f.connection, f.entity;
