-- Every metric of an execution, in order of time. Parameter: its id.
SELECT timestamp, metric_name, metric_value, metric_unit, tags
FROM etl.etl_metrics
WHERE execution_id = %s
ORDER BY timestamp, metric_id
