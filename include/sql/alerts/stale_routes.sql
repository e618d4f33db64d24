-- Routes with a schedule no run of which has succeeded for longer than so many of its intervals; a new one counts from its table.
SELECT 'STALE_ROUTE:' || w.name AS dedupe_key, 'WARNING' AS severity, w.name AS subject,
       format('%%s; its schedule has a run every %%s hours.',
              coalesce('No run has succeeded since ' || to_char(l.succeeded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
                       'No run has ever succeeded'), round(w.hours::numeric, 1)) AS message,
       'Is its DAG paused, or do its runs fail? ./etl routes try makes one request, and ./etl routes run one run.' AS hint,
       jsonb_build_object('dag_id', w.name, 'table', 'raw.' || w.table_name, 'succeeded_at', l.succeeded_at, 'hours', w.hours) AS details,
       NULL::text AS execution_id, NULL::bigint AS league_id, NULL::bigint AS season_id
FROM jsonb_to_recordset(%(routes)s::jsonb) AS w (name text, table_name text, hours double precision)
JOIN etl.raw_routes r ON r.table_name = w.table_name
CROSS JOIN LATERAL (SELECT max(c.completed_at) AS succeeded_at FROM etl.collector_runs c
                    WHERE c.collector_name = w.name AND c.status = 'success') l
WHERE greatest(l.succeeded_at, r.created_at)
      < %(now)s::timestamptz - make_interval(secs => %(stale_route_intervals)s::double precision * w.hours * 3600);
