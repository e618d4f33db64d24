-- A run ends: whether it still was this one's to end. Parameters: run_id, status, processed, inserted, updated,
-- unchanged, failed, watermark (JSON text or NULL), error (or NULL).
SELECT etl.finish_collector_run(%s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s)
