-- Routes whose two newest finished runs both had listings that may be short: their watermark does not move.
SELECT 'UNPROVEN_ROUTE:' || v.name AS dedupe_key, 'WARNING' AS severity, v.name AS subject,
       format('The ends of %%s listings of its newest run are not proven, nor were all of the run before; its data are complete to %%s.',
              n.unproven[1], coalesce(v.collected_to, 'no day yet'))
           || coalesce(' The first: ' || rtrim(v.doubts[1], '.') || '.', '') AS message,
       'The Routes page and the log of its task extract say why. A total that is wrong for good needs until: empty, one that is capped max_days or max_hours; an empty listing is believed after 12 hours.' AS hint,
       jsonb_build_object('dag_id', v.name, 'table', v.table_name, 'ended_by', v.ended_by, 'collected_to', v.collected_to,
                          'doubts', v.doubts) AS details,
       NULL::text AS execution_id, NULL::bigint AS league_id, NULL::bigint AS season_id
FROM etl.raw_route_status v
CROSS JOIN LATERAL (SELECT array_agg(x.unproven ORDER BY x.updated_at DESC) AS unproven
                      FROM (SELECT coalesce((p.counters ->> 'unproven')::numeric, 0)::bigint AS unproven, p.updated_at
                              FROM etl.route_progress p
                             WHERE p.route_name = v.name AND p.status = 'DONE' AND p.updated_at <= %(now)s::timestamptz
                             ORDER BY p.updated_at DESC LIMIT 2) x) n
WHERE n.unproven[1] > 0 AND n.unproven[2] > 0;
