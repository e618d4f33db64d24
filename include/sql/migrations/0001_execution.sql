-- What a run did: executions, their chunks and fixtures, logs, metrics. Read top to bottom: tables, then indexes.
CREATE SCHEMA IF NOT EXISTS etl;
CREATE SCHEMA IF NOT EXISTS raw;
CREATE SCHEMA IF NOT EXISTS football;

-- One row per DAG run. RUNNING -> COMPLETED | FAILED | CANCELLED; a cleared task takes it back to RUNNING.
CREATE TABLE IF NOT EXISTS etl.etl_executions (
    execution_id        text        PRIMARY KEY,
    dag_id              text,
    run_id              text,
    status              text        NOT NULL DEFAULT 'RUNNING',
    started_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at         timestamptz,
    first_finished_at   timestamptz,            -- stays when a cleared task takes the execution back to RUNNING
    planned_at          timestamptz,            -- set once the plan stands; empty = the run never came that far
    heartbeat_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    total_fixtures      integer     NOT NULL DEFAULT 0,
    processed_fixtures  integer     NOT NULL DEFAULT 0,
    successful_fixtures integer     NOT NULL DEFAULT 0,
    failed_fixtures     integer     NOT NULL DEFAULT 0,
    total_chunks        integer     NOT NULL DEFAULT 0,
    processed_chunks    integer     NOT NULL DEFAULT 0,
    duration_seconds    numeric(12,3),
    error_message       text,
    config              jsonb       NOT NULL DEFAULT '{}',
    quote               jsonb,                  -- what the plan promised: fixtures by reason, calls, minutes
    created_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT etl_executions_status_known CHECK (status IN ('RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    CONSTRAINT etl_executions_finished_when_final CHECK ((status = 'RUNNING') = (finished_at IS NULL)),
    CONSTRAINT etl_executions_figures_not_negative CHECK (
        least(total_fixtures, processed_fixtures, successful_fixtures, failed_fixtures, total_chunks, processed_chunks) >= 0)
);
CREATE INDEX IF NOT EXISTS idx_etl_executions_started_at ON etl.etl_executions (started_at DESC);
CREATE INDEX IF NOT EXISTS idx_etl_executions_status ON etl.etl_executions (status, heartbeat_at);
CREATE INDEX IF NOT EXISTS idx_etl_executions_dag ON etl.etl_executions (dag_id, started_at DESC);

CREATE TABLE IF NOT EXISTS etl.etl_logs (
    log_id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    timestamp    timestamptz NOT NULL DEFAULT clock_timestamp(),
    level        text        NOT NULL,
    component    text        NOT NULL,
    message      text        NOT NULL,
    details      jsonb,
    execution_id text,
    chunk_id     text,
    fixture_id   bigint,
    duration_ms  numeric(14,3),
    CONSTRAINT etl_logs_level_known CHECK (level IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'))
);
-- Each filter of the log page is combined with "newest first", so log_id follows it in every index.
CREATE INDEX IF NOT EXISTS idx_etl_logs_timestamp ON etl.etl_logs (timestamp DESC, log_id DESC);
CREATE INDEX IF NOT EXISTS idx_etl_logs_level ON etl.etl_logs (level, log_id DESC);
CREATE INDEX IF NOT EXISTS idx_etl_logs_component ON etl.etl_logs (component, log_id DESC);
CREATE INDEX IF NOT EXISTS idx_etl_logs_execution_id ON etl.etl_logs (execution_id, log_id DESC);
CREATE INDEX IF NOT EXISTS idx_etl_logs_chunk_id ON etl.etl_logs (chunk_id, log_id DESC) WHERE chunk_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_etl_logs_fixture_id ON etl.etl_logs (fixture_id, log_id DESC) WHERE fixture_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS etl.etl_metrics (
    metric_id    bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    timestamp    timestamptz      NOT NULL DEFAULT clock_timestamp(),
    execution_id text,
    metric_name  text             NOT NULL,
    metric_value double precision NOT NULL,
    metric_unit  text,
    tags         jsonb            NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS idx_etl_metrics_timestamp ON etl.etl_metrics (timestamp DESC);
CREATE INDEX IF NOT EXISTS idx_etl_metrics_execution_id ON etl.etl_metrics (execution_id, metric_name);
CREATE INDEX IF NOT EXISTS idx_etl_metrics_name ON etl.etl_metrics (metric_name, timestamp DESC);

-- State of a league/season, across runs. The history of its runs is etl.execution_chunks.
CREATE TABLE IF NOT EXISTS etl.chunks (
    league_id          bigint      NOT NULL,
    season_id          bigint      NOT NULL,
    chunk_id           text        GENERATED ALWAYS AS (league_id || '_' || season_id) STORED,
    league_name        text        NOT NULL DEFAULT '',
    season_name        text        NOT NULL DEFAULT '',
    status             text        NOT NULL DEFAULT 'PENDING',
    total_fixtures     integer     NOT NULL DEFAULT 0,
    collected_fixtures integer     NOT NULL DEFAULT 0,
    settled_fixtures   integer     NOT NULL DEFAULT 0,
    due_fixtures       integer     NOT NULL DEFAULT 0,
    failed_fixtures    integer     NOT NULL DEFAULT 0,
    priority           bigint      NOT NULL DEFAULT 0,
    fence              bigint      NOT NULL DEFAULT 0,   -- moves with every new owner: an older one can no longer commit
    owner              text,
    heartbeat_at       timestamptz,
    last_execution_id  text,
    last_collected_at  timestamptz,
    indexed_at         timestamptz,                       -- last complete read of the season's index
    error_message      text,
    created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (league_id, season_id),
    CONSTRAINT chunks_status_known CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'SKIPPED'))
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_chunks_chunk_id ON etl.chunks (chunk_id);

-- One chunk within one run. Figures are recounted from etl.execution_fixtures, never added up.
CREATE TABLE IF NOT EXISTS etl.execution_chunks (
    execution_id  text        NOT NULL,
    league_id     bigint      NOT NULL,
    season_id     bigint      NOT NULL,
    position      integer     NOT NULL DEFAULT 0,         -- order by priority within the run
    priority      bigint      NOT NULL DEFAULT 0,
    status        text        NOT NULL DEFAULT 'PENDING',
    planned       integer     NOT NULL DEFAULT 0,
    index_failed  boolean     NOT NULL DEFAULT false,     -- discover could not read the season's index: the collector does
    processed     integer     NOT NULL DEFAULT 0,
    saved         integer     NOT NULL DEFAULT 0,
    unchanged     integer     NOT NULL DEFAULT 0,
    failed        integer     NOT NULL DEFAULT 0,
    missing       integer     NOT NULL DEFAULT 0,
    api_calls     integer     NOT NULL DEFAULT 0,
    bytes         bigint      NOT NULL DEFAULT 0,
    tries         integer     NOT NULL DEFAULT 0,
    started_at    timestamptz,
    collected_at  timestamptz,                            -- the collector reached the end of its plan
    finished_at   timestamptz,
    error_message text,
    PRIMARY KEY (execution_id, league_id, season_id),
    CONSTRAINT execution_chunks_status_known CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'SKIPPED')),
    CONSTRAINT execution_chunks_finished_when_final
        CHECK ((status IN ('COMPLETED', 'FAILED', 'SKIPPED')) = (finished_at IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS idx_execution_chunks_chunk ON etl.execution_chunks (league_id, season_id, started_at DESC);

-- The plan of a run, marked off in the transaction that stores the data: a kill at any point leaves exactly
-- the fixtures that are not stored as PENDING, and every figure can be counted again.
CREATE TABLE IF NOT EXISTS etl.execution_fixtures (
    execution_id text        NOT NULL,
    league_id    bigint      NOT NULL,
    season_id    bigint      NOT NULL,
    fixture_id   bigint      NOT NULL,
    position     integer     NOT NULL,                    -- order within the chunk, most urgent first
    reason       text        NOT NULL,
    priority     integer     NOT NULL,
    urgent       boolean     NOT NULL DEFAULT false,      -- may use the reserve of the budget
    status       text        NOT NULL DEFAULT 'PENDING',
    error        text,
    done_at      timestamptz,
    PRIMARY KEY (execution_id, season_id, fixture_id),
    CONSTRAINT execution_fixtures_status_known CHECK (status IN ('PENDING', 'SAVED', 'UNCHANGED', 'HELD', 'FAILED', 'MISSING')),
    CONSTRAINT execution_fixtures_done_when_final CHECK ((status = 'PENDING') = (done_at IS NULL))
);

-- Results of the quality checks of a chunk in a run.
CREATE TABLE IF NOT EXISTS etl.check_results (
    execution_id text        NOT NULL,
    chunk_id     text        NOT NULL,
    name         text        NOT NULL,
    required     boolean     NOT NULL,
    success      boolean     NOT NULL,
    notes        text        NOT NULL DEFAULT '',
    checked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (execution_id, chunk_id, name)
);

-- Every run of every collector; completed_at is set exactly when the status is final.
CREATE TABLE IF NOT EXISTS etl.collector_runs (
    run_id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collector_name    text        NOT NULL,
    status            text        NOT NULL DEFAULT 'running',
    started_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    completed_at      timestamptz,
    records_processed integer     NOT NULL DEFAULT 0,
    records_inserted  integer     NOT NULL DEFAULT 0,
    records_updated   integer     NOT NULL DEFAULT 0,
    records_unchanged integer     NOT NULL DEFAULT 0,
    records_failed    integer     NOT NULL DEFAULT 0,
    watermark         jsonb,
    execution_id      text,
    error_message     text,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT collector_runs_status_known CHECK (status IN ('running', 'success', 'failed')),
    CONSTRAINT collector_runs_completed_when_final CHECK ((status = 'running') = (completed_at IS NULL))
);
CREATE INDEX IF NOT EXISTS idx_collector_runs_name ON etl.collector_runs (collector_name, started_at DESC);
CREATE INDEX IF NOT EXISTS idx_collector_runs_completed ON etl.collector_runs (completed_at DESC);
-- One row per collector and execution, so that a retried task counts nothing twice.
CREATE UNIQUE INDEX IF NOT EXISTS idx_collector_runs_execution
    ON etl.collector_runs (collector_name, execution_id) WHERE execution_id IS NOT NULL;

-- OPEN -> ACKNOWLEDGED -> RESOLVED; one live alert per dedupe key.
CREATE TABLE IF NOT EXISTS etl.etl_alerts (
    alert_id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedupe_key      text        NOT NULL,
    kind            text        NOT NULL,
    severity        text        NOT NULL DEFAULT 'WARNING',
    status          text        NOT NULL DEFAULT 'OPEN',
    subject         text        NOT NULL,
    message         text        NOT NULL,
    mend            text        NOT NULL DEFAULT '',
    details         jsonb       NOT NULL DEFAULT '{}',
    execution_id    text,
    league_id       bigint,
    season_id       bigint,
    opened_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_count      integer     NOT NULL DEFAULT 1,
    acknowledged_at timestamptz,
    acknowledged_by text,
    resolved_at     timestamptz,
    CONSTRAINT etl_alerts_severity_known CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL')),
    CONSTRAINT etl_alerts_status_known CHECK (status IN ('OPEN', 'ACKNOWLEDGED', 'RESOLVED')),
    CONSTRAINT etl_alerts_resolved_when_over CHECK ((status = 'RESOLVED') = (resolved_at IS NOT NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_etl_alerts_live ON etl.etl_alerts (dedupe_key) WHERE status <> 'RESOLVED';
CREATE INDEX IF NOT EXISTS idx_etl_alerts_opened_at ON etl.etl_alerts (opened_at DESC);
