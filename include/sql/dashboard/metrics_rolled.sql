-- The same in multiples of five minutes: from the rolled-up buckets as far as they go, from the metrics after that.
WITH rolled AS (SELECT coalesce(max(bucket) + interval '5 minutes', '-infinity') AS until FROM etl.metric_buckets),
parts AS (
    SELECT metric_name, series, bucket AS at, samples, total, lowest, highest
    FROM etl.metric_buckets
    WHERE metric_name = ANY(%(names)s::text[]) AND bucket >= %(since)s::timestamptz
    UNION ALL
    SELECT metric_name, coalesce(tags ->> 'entity', ''), timestamp, 1, metric_value, metric_value, metric_value
    FROM etl.etl_metrics, rolled
    WHERE metric_name = ANY(%(names)s::text[]) AND timestamp >= greatest(%(since)s::timestamptz, rolled.until)
)
SELECT metric_name, series,
       extract(epoch FROM date_bin(make_interval(secs => %(bucket_seconds)s), at, %(since)s::timestamptz))::bigint AS bucket,
       sum(total) / sum(samples) AS mean, max(highest) AS maximum, min(lowest) AS minimum, sum(total) AS total, sum(samples) AS samples
FROM parts GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
