-- Entities whose hourly calls are spent or that the API has blocked. Work waits by itself until the reset.
SELECT format('BUDGET_EXHAUSTED:%%s:%%s', b.connection, b.entity) AS dedupe_key, 'WARNING' AS severity,
       format('API budget of %%s', b.entity) AS subject,
       CASE WHEN b.blocked_until > %(now)s::timestamptz THEN format('The API refuses calls until %%s.', to_char(b.blocked_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
            ELSE format('0 of %%s calls left until %%s.', b.call_limit, to_char(b.resets_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) END AS message,
       'Nothing has to be done: runs wait and go on. If it happens every day, narrow the backfill or raise the plan.' AS hint,
       jsonb_build_object('connection', b.connection, 'entity', b.entity, 'resets_at', b.resets_at, 'blocked_until', b.blocked_until) AS details,
       NULL::text AS execution_id, NULL::bigint AS league_id, NULL::bigint AS season_id
FROM etl.api_budget b
WHERE (b.remaining <= 0 AND b.resets_at > %(now)s::timestamptz) OR b.blocked_until > %(now)s::timestamptz;
