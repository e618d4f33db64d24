-- Each metric of a time, or of one execution, in one line.
SELECT metric_name, max(metric_unit) AS unit, avg(metric_value) AS mean, max(metric_value) AS maximum, min(metric_value) AS minimum,
       count(*) AS samples, max(timestamp) AS last_at
FROM etl.etl_metrics
WHERE (%(since)s::timestamptz IS NULL OR timestamp >= %(since)s) AND (%(execution_id)s::text IS NULL OR execution_id = %(execution_id)s)
GROUP BY metric_name ORDER BY metric_name;
