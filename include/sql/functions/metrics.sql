-- Metrics summed up for the charts.

-- Recounts the buckets of the last hour and adds the finished ones since; how many. Rows that reach the table up to an
-- hour late (a buffer that waited for it) are therefore counted too, and nothing is ever counted twice.
CREATE OR REPLACE FUNCTION etl.roll_up_metrics(p_now timestamptz DEFAULT clock_timestamp()) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_until timestamptz := date_bin('5 minutes', p_now, 'epoch');
    v_from  timestamptz;
    v_count bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('etl_roll_up_metrics', 0));
    SELECT coalesce((SELECT max(bucket) - interval '1 hour' FROM etl.metric_buckets),
                    (SELECT date_bin('5 minutes', min(timestamp), 'epoch') FROM etl.etl_metrics)) INTO v_from;
    IF v_from IS NULL THEN RETURN 0; END IF;
    DELETE FROM etl.metric_buckets WHERE bucket >= v_from;
    INSERT INTO etl.metric_buckets (metric_name, bucket, series, samples, total, lowest, highest)
    SELECT metric_name, date_bin('5 minutes', timestamp, 'epoch'), coalesce(tags ->> 'entity', ''), count(*), sum(metric_value),
           min(metric_value), max(metric_value)
    FROM etl.etl_metrics WHERE timestamp >= v_from AND timestamp < v_until
    GROUP BY 1, 2, 3;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
