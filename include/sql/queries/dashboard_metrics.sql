-- Some metrics over time, in buckets of any length; series by entity where a metric has one.
SELECT metric_name, coalesce(tags ->> 'entity', '') AS series,
       extract(epoch FROM date_bin(make_interval(secs => %(bucket_seconds)s), timestamp, %(since)s::timestamptz))::bigint AS bucket,
       avg(metric_value) AS mean, max(metric_value) AS maximum, min(metric_value) AS minimum, sum(metric_value) AS total, count(*) AS samples
FROM etl.etl_metrics
WHERE metric_name = ANY(%(names)s::text[]) AND timestamp >= %(since)s::timestamptz
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
