-- Runs of the catalog and of raw routes name how and by whom they were started, as those of leagues do.

CREATE TABLE IF NOT EXISTS etl.run_origins (
    execution_id text        PRIMARY KEY,
    dag_id       text        NOT NULL,
    run_id       text        NOT NULL,
    -- Airflow's type of the DAG run (scheduled, manual, backfill ...), and the user who triggered it.
    run_type     text        NOT NULL,
    triggered_by text,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- The retention looks for the oldest rows.
CREATE INDEX IF NOT EXISTS idx_run_origins_recorded_at ON etl.run_origins (recorded_at);
