-- One batch of collectors' runs that ended before the retention. Of each collector stay the newest run, the newest success,
-- the newest success with a watermark, and the first success, which the others are measured against.
DELETE FROM etl.collector_runs WHERE run_id IN (
    SELECT r.run_id FROM etl.collector_runs r
    WHERE r.completed_at < %(before)s
      AND EXISTS (SELECT 1 FROM etl.collector_runs n WHERE n.collector_name = r.collector_name
                  AND (n.started_at, n.run_id) > (r.started_at, r.run_id))
      AND (r.status <> 'success'
           OR EXISTS (SELECT 1 FROM etl.collector_runs n WHERE n.collector_name = r.collector_name AND n.status = 'success'
                      AND (n.completed_at, n.run_id) > (r.completed_at, r.run_id)
                      AND (n.watermark IS NOT NULL OR r.watermark IS NULL))
          AND EXISTS (SELECT 1 FROM etl.collector_runs n WHERE n.collector_name = r.collector_name AND n.status = 'success'
                      AND (n.started_at, n.run_id) < (r.started_at, r.run_id)))
    ORDER BY r.completed_at LIMIT %(limit)s);
