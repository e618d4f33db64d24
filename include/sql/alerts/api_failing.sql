-- Connections whose calls rest, or have just rested, because the API failed again and again.
SELECT format('API_FAILING:%%s', c.connection) AS dedupe_key, 'WARNING' AS severity, c.connection AS subject,
       format('Calls rest until %%s after repeated failures of the API (rest no. %%s).',
              to_char(c.open_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), c.opened_total) AS message,
       'Nothing has to be done while it passes: runs wait and go on. If it lasts, look at the provider''s status page.' AS hint,
       jsonb_build_object('connection', c.connection, 'open_until', c.open_until, 'rests', c.opened_total) AS details,
       NULL::text AS execution_id, NULL::bigint AS league_id, NULL::bigint AS season_id
FROM etl.api_circuit c
WHERE c.state <> 'CLOSED' AND c.open_until > %(now)s::timestamptz - interval '15 minutes';
