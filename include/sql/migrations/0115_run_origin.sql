-- Runs name their league, how and by whom they were started, and how often; runs of collectors are listed beside them.

ALTER TABLE etl.etl_executions
    -- The league whose DAG ran; null where no task of a league's DAG has started the run.
    ADD COLUMN IF NOT EXISTS league_id    bigint,
    -- Airflow's type of the DAG run (scheduled, manual, backfill, asset_triggered ...), and the user who triggered it.
    ADD COLUMN IF NOT EXISTS run_type     text,
    ADD COLUMN IF NOT EXISTS triggered_by text,
    -- 1, and one more for each time that it was started again (cleared) after its end.
    ADD COLUMN IF NOT EXISTS attempts     integer NOT NULL DEFAULT 1;
ALTER TABLE etl.etl_executions DROP CONSTRAINT IF EXISTS etl_executions_attempts_positive;
ALTER TABLE etl.etl_executions ADD CONSTRAINT etl_executions_attempts_positive CHECK (attempts > 0);

-- What is known of the runs of older versions.
UPDATE etl.etl_executions e
SET league_id = (SELECT c.league_id FROM etl.execution_chunks c WHERE c.execution_id = e.execution_id LIMIT 1)
WHERE e.league_id IS NULL;
UPDATE etl.etl_executions SET attempts = 2 WHERE attempts = 1 AND finished_at > first_finished_at;

-- The page lists the runs of the catalog and of routes with those of the leagues, and looks at every request which of them
-- failed last. The collectors of seasons (chunk:...), which are most rows, belong to their executions.
CREATE INDEX IF NOT EXISTS idx_collector_runs_listed ON etl.collector_runs (started_at DESC)
    WHERE collector_name NOT LIKE 'chunk:%';
CREATE INDEX IF NOT EXISTS idx_collector_runs_of_execution ON etl.collector_runs (execution_id)
    WHERE collector_name NOT LIKE 'chunk:%' AND execution_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_collector_runs_newest ON etl.collector_runs (collector_name, completed_at DESC)
    WHERE collector_name NOT LIKE 'chunk:%' AND completed_at IS NOT NULL;
