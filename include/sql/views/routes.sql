-- Raw routes.

-- Every raw route with its table and its newest run; rows is PostgreSQL's estimate.
CREATE OR REPLACE VIEW etl.raw_route_status AS
SELECT r.client, r.route, 'raw.' || r.table_name AS table_name, greatest(c.reltuples, 0)::bigint AS estimated_rows,
       pg_total_relation_size(c.oid) AS bytes, l.status, l.started_at, l.completed_at, l.records_processed, l.records_inserted,
       l.error_message, etl.collector_watermark(n.name) ->> 'date_to' AS collected_to,
       p.ended_by, coalesce(p.unproven, 0) AS unproven, n.name, p.pages, p.records_per_second,
       (SELECT max(s.completed_at) FROM etl.collector_runs s WHERE s.collector_name = n.name AND s.status = 'success') AS last_success_at,
       (SELECT count(*) FROM etl.route_rejects j WHERE j.route_name = n.name) AS rejects,
       CASE WHEN p.unproven > 0 THEN p.doubts END AS doubts
FROM etl.raw_routes r
CROSS JOIN LATERAL (SELECT 'raw_' || substr(r.table_name, 8) AS name) n
LEFT JOIN pg_class c ON c.oid = to_regclass(format('raw.%I', r.table_name))
LEFT JOIN etl.collector_last_runs l ON l.collector_name = n.name AND l.run_number = 1
LEFT JOIN LATERAL (
    -- How the newest run knew the ends of its listings, and how many of them may be short.
    SELECT (SELECT string_agg(substr(c.key, 5) || ' (' || c.value || ')', ', ' ORDER BY c.value::numeric DESC, c.key)
              FROM jsonb_each_text(x.counters) c WHERE c.key LIKE 'end\_%') AS ended_by,
           (x.counters ->> 'unproven')::numeric::bigint AS unproven, x.doubts,
           (x.counters ->> 'pages')::numeric::bigint AS pages,
           round((x.counters ->> 'records')::numeric / nullif((x.counters ->> 'seconds')::numeric, 0), 1) AS records_per_second
      FROM etl.route_progress x WHERE x.route_name = n.name ORDER BY x.updated_at DESC LIMIT 1
) p ON true
ORDER BY r.client, r.route;
