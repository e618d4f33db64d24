-- What earlier runs left: end of the last success, its watermark, parts fetched with their times (epoch seconds).
-- Parameters: name, name, name.
SELECT etl.collector_last_success(%s), etl.collector_watermark(%s)::text,
       (SELECT coalesce(jsonb_object_agg(period, extract(epoch FROM fetched_at)), '{}')::text
          FROM etl.collector_periods WHERE collector_name = %s)
