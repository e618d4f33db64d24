-- Columns take the words of the project: hint (was mend), estimate (was quote), last_requested_at (was last_asked_at).
-- Functions follow from functions/: those whose parameters change their names are dropped here.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 'etl.etl_alerts'::regclass AND attname = 'mend') THEN
        ALTER TABLE etl.etl_alerts RENAME COLUMN mend TO hint;
        ALTER TABLE etl.etl_executions RENAME COLUMN quote TO estimate;
        ALTER TABLE football.fixtures RENAME COLUMN last_asked_at TO last_requested_at;
    END IF;
END $$;
DROP FUNCTION IF EXISTS etl.raise_alert(text, text, text, text, text, text, jsonb, text, bigint, bigint, interval, timestamptz);
