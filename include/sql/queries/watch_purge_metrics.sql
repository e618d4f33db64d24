-- One batch of metrics older than the retention.
DELETE FROM etl.etl_metrics WHERE metric_id IN (
    SELECT metric_id FROM etl.etl_metrics WHERE timestamp < %(before)s ORDER BY timestamp LIMIT %(limit)s);
