-- Figures of a run that goes on; no row when it has ended. Parameters: processed, inserted, updated, unchanged, failed,
-- run_id.
UPDATE etl.collector_runs
SET records_processed = %s, records_inserted = %s, records_updated = %s, records_unchanged = %s, records_failed = %s,
    updated_at = clock_timestamp()
WHERE run_id = %s AND status = 'running'
RETURNING run_id
