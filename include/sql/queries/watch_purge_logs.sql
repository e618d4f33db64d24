-- One batch of log lines older than the retention.
DELETE FROM etl.etl_logs WHERE log_id IN (
    SELECT log_id FROM etl.etl_logs WHERE timestamp < %(before)s ORDER BY timestamp LIMIT %(limit)s);
