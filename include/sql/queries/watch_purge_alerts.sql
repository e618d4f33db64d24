-- One batch of resolved alerts older than the retention.
DELETE FROM etl.etl_alerts WHERE alert_id IN (
    SELECT alert_id FROM etl.etl_alerts WHERE status = 'RESOLVED' AND resolved_at < %(before)s ORDER BY alert_id LIMIT %(limit)s);
