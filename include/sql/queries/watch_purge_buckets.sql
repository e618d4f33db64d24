-- One batch of rolled-up metrics older than the retention.
DELETE FROM etl.metric_buckets WHERE ctid IN (
    SELECT ctid FROM etl.metric_buckets WHERE bucket < %(before)s ORDER BY bucket LIMIT %(limit)s);
