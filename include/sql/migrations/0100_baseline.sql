-- The complete schema of a new database. Functions and views are in functions/ and views/; they are applied afterwards.
--
-- Read top to bottom: executions, the budget of API calls, football data, raw routes. After each table come its indexes
-- with their reasons. Columns that older databases got by a migration stand at the end of their table, so that both
-- have the same order. Every statement may run again over its own result.
CREATE SCHEMA IF NOT EXISTS etl;
CREATE SCHEMA IF NOT EXISTS raw;
CREATE SCHEMA IF NOT EXISTS football;

-- Executions ------------------------------------------------------------------------------------------------------

-- One row per DAG run. RUNNING -> COMPLETED | FAILED | CANCELLED; a cleared task takes it back to RUNNING.
CREATE TABLE IF NOT EXISTS etl.etl_executions (
    execution_id        text        PRIMARY KEY,
    dag_id              text,
    run_id              text,
    status              text        NOT NULL DEFAULT 'RUNNING',
    started_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at         timestamptz,
    first_finished_at   timestamptz,            -- stays when a cleared task takes the execution back to RUNNING
    planned_at          timestamptz,            -- when the plan was stored; null = the run has not come that far
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
    estimate            jsonb,                  -- cost estimate of the plan: fixtures by reason, calls, minutes
    created_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT etl_executions_status_known CHECK (status IN ('RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    CONSTRAINT etl_executions_finished_when_final CHECK ((status = 'RUNNING') = (finished_at IS NULL)),
    CONSTRAINT etl_executions_figures_not_negative CHECK (
        least(total_fixtures, processed_fixtures, successful_fixtures, failed_fixtures, total_chunks, processed_chunks) >= 0)
);
-- The page lists the newest first.
CREATE INDEX IF NOT EXISTS idx_etl_executions_started_at ON etl.etl_executions (started_at DESC);
-- Housekeeping looks for running executions without a heartbeat.
CREATE INDEX IF NOT EXISTS idx_etl_executions_status ON etl.etl_executions (status, heartbeat_at);
-- Alert rules look at the newest runs of each DAG.
CREATE INDEX IF NOT EXISTS idx_etl_executions_dag ON etl.etl_executions (dag_id, started_at DESC);

-- Log lines of all runs. Append-only.
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
-- "WARNING and above of one component" is one probe per level, a component alone is five: one index serves both.
CREATE INDEX IF NOT EXISTS idx_etl_logs_component ON etl.etl_logs (component, level, log_id DESC);
CREATE INDEX IF NOT EXISTS idx_etl_logs_execution_id ON etl.etl_logs (execution_id, log_id DESC);
CREATE INDEX IF NOT EXISTS idx_etl_logs_chunk_id ON etl.etl_logs (chunk_id, log_id DESC) WHERE chunk_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_etl_logs_fixture_id ON etl.etl_logs (fixture_id, log_id DESC) WHERE fixture_id IS NOT NULL;
-- The page counts the errors of the last hours at every request; they are few among many lines.
CREATE INDEX IF NOT EXISTS idx_etl_logs_errors ON etl.etl_logs (timestamp DESC) WHERE level IN ('ERROR', 'CRITICAL');
-- Append-only tables are vacuumed too rarely by default for index-only scans of their newest part.
ALTER TABLE etl.etl_logs SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Metrics of all runs. Append-only.
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
ALTER TABLE etl.etl_metrics SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Metrics in buckets of five minutes, so that a chart of a week reads thousands of rows instead of a million.
-- etl_watch keeps them; metrics that are not in a bucket yet are read from etl.etl_metrics.
CREATE TABLE IF NOT EXISTS etl.metric_buckets (
    metric_name text             NOT NULL,
    bucket      timestamptz      NOT NULL,              -- start of the five minutes
    series      text             NOT NULL DEFAULT '',   -- the entity, where a metric has one
    samples     bigint           NOT NULL,
    total       double precision NOT NULL,
    lowest      double precision NOT NULL,
    highest     double precision NOT NULL,
    PRIMARY KEY (metric_name, bucket, series)
);
-- Housekeeping deletes the oldest.
CREATE INDEX IF NOT EXISTS idx_metric_buckets_bucket ON etl.metric_buckets (bucket);

-- State of a league and season across runs. The history of its runs is etl.execution_chunks.
-- PENDING -> RUNNING -> COMPLETED | FAILED | SKIPPED, and RUNNING again with the next run.
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
    fence              bigint      NOT NULL DEFAULT 0,   -- grows with every new owner, so that an older one cannot commit
    owner              text,
    heartbeat_at       timestamptz,
    last_execution_id  text,
    last_collected_at  timestamptz,
    indexed_at         timestamptz,                       -- last complete read of the season's index
    error_message      text,
    created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Indexes in a row that lacked so many known fixtures that they were not believed.
    doubtful_indexes   integer     NOT NULL DEFAULT 0,
    -- Set while a league or season is not followed: it is neither due nor stale, and keeps its history.
    deactivated_at     timestamptz,
    PRIMARY KEY (league_id, season_id),
    CONSTRAINT chunks_status_known CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'SKIPPED'))
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_chunks_chunk_id ON etl.chunks (chunk_id);
-- Housekeeping looks for the chunks that an execution held when it died.
CREATE INDEX IF NOT EXISTS idx_chunks_last_execution ON etl.chunks (last_execution_id);

-- One chunk within one run. Figures are recounted from etl.execution_fixtures when the chunk closes.
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
-- The page of a season lists its newest runs.
CREATE INDEX IF NOT EXISTS idx_execution_chunks_chunk ON etl.execution_chunks (league_id, season_id, started_at DESC);

-- The plan of a run, marked off in the transaction that stores the data: after a kill at any point exactly the
-- fixtures that are not stored are PENDING, and every figure can be counted again.
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

-- Every run of every collector: running -> success | failed.
CREATE TABLE IF NOT EXISTS etl.collector_runs (
    run_id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collector_name    text        NOT NULL,
    status            text        NOT NULL DEFAULT 'running',
    started_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    completed_at      timestamptz,
    records_processed bigint      NOT NULL DEFAULT 0,
    records_inserted  bigint      NOT NULL DEFAULT 0,
    records_updated   bigint      NOT NULL DEFAULT 0,
    records_unchanged bigint      NOT NULL DEFAULT 0,
    records_failed    bigint      NOT NULL DEFAULT 0,
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
-- Every start of a collector looks up its last success.
CREATE INDEX IF NOT EXISTS idx_collector_runs_success
    ON etl.collector_runs (collector_name, completed_at DESC) WHERE status = 'success';

-- When a collector last fetched one year or season (or any part it names) with success. The collector's last run does
-- not give the age of a part: a daily run is always recent, whichever parts it left out.
CREATE TABLE IF NOT EXISTS etl.collector_periods (
    collector_name text        NOT NULL,
    period         text        NOT NULL,
    fetched_at     timestamptz NOT NULL,
    PRIMARY KEY (collector_name, period)
);

-- OPEN -> ACKNOWLEDGED -> RESOLVED; one live alert per dedupe key.
CREATE TABLE IF NOT EXISTS etl.etl_alerts (
    alert_id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedupe_key        text        NOT NULL,
    kind              text        NOT NULL,
    severity          text        NOT NULL DEFAULT 'WARNING',
    status            text        NOT NULL DEFAULT 'OPEN',
    subject           text        NOT NULL,
    message           text        NOT NULL,
    hint              text        NOT NULL DEFAULT '',
    details           jsonb       NOT NULL DEFAULT '{}',
    execution_id      text,
    league_id         bigint,
    season_id         bigint,
    opened_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_count        integer     NOT NULL DEFAULT 1,
    acknowledged_at   timestamptz,
    acknowledged_by   text,
    resolved_at       timestamptz,
    notified_at       timestamptz,                        -- when the notification was sent
    notify_claimed_at timestamptz,                        -- a claim that is not settled is free again after ten minutes
    notify_attempts   integer     NOT NULL DEFAULT 0,
    CONSTRAINT etl_alerts_severity_known CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL')),
    CONSTRAINT etl_alerts_status_known CHECK (status IN ('OPEN', 'ACKNOWLEDGED', 'RESOLVED')),
    CONSTRAINT etl_alerts_resolved_when_over CHECK ((status = 'RESOLVED') = (resolved_at IS NOT NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_etl_alerts_live ON etl.etl_alerts (dedupe_key) WHERE status <> 'RESOLVED';
CREATE INDEX IF NOT EXISTS idx_etl_alerts_opened_at ON etl.etl_alerts (opened_at DESC);
-- An alert that comes back within its time to reopen is found by its key.
CREATE INDEX IF NOT EXISTS idx_etl_alerts_key ON etl.etl_alerts (dedupe_key, alert_id DESC);
CREATE INDEX IF NOT EXISTS idx_etl_alerts_live_kind ON etl.etl_alerts (kind, opened_at DESC) WHERE status <> 'RESOLVED';

-- The budget of API calls -----------------------------------------------------------------------------------------

-- One row per bucket; the rules are in functions/budget.sql.
-- Unknown (remaining null) -> known -> empty (0) -> unknown again once resets_at is past.
CREATE TABLE IF NOT EXISTS etl.api_budget (
    connection         text        NOT NULL,
    entity             text        NOT NULL,
    answers_as         text,                              -- the API books this entity's calls under that name
    window_no          bigint      NOT NULL DEFAULT 0,    -- our count of windows, see rule 3
    window_taken       integer     NOT NULL DEFAULT 0,
    call_limit         integer,                           -- of the newest window that reported it
    remaining          integer,
    resets_at          timestamptz,
    estimated          boolean     NOT NULL DEFAULT false, -- the API reported no figures: our own count against a default
    probing_until      timestamptz,                       -- the one call of rule 1 is out; then it counts as lost
    blocked_until      timestamptz,                       -- no call before then: the API answered 429
    limited_streak     integer     NOT NULL DEFAULT 0,    -- 429s since the last good answer
    taken_total        bigint      NOT NULL DEFAULT 0,
    refused_total      bigint      NOT NULL DEFAULT 0,
    rate_limited_total bigint      NOT NULL DEFAULT 0,
    created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT api_budget_pkey PRIMARY KEY (connection, entity),
    CONSTRAINT api_budget_remaining_not_negative CHECK (remaining >= 0),
    CONSTRAINT api_budget_remaining_within_limit CHECK (remaining <= call_limit),
    CONSTRAINT api_budget_limit_positive CHECK (call_limit > 0),
    CONSTRAINT api_budget_figures_come_with_their_reset CHECK ((remaining IS NULL) = (resets_at IS NULL)),
    CONSTRAINT api_budget_probe_only_while_unknown CHECK (probing_until IS NULL OR remaining IS NULL),
    CONSTRAINT api_budget_no_alias_of_itself CHECK (answers_as <> entity)
) WITH (fillfactor = 50);  -- every call updates its row twice: room on the page keeps these updates off the index

-- One row per connection. CLOSED -> OPEN -> HALF_OPEN -> CLOSED | OPEN.
CREATE TABLE IF NOT EXISTS etl.api_circuit (
    connection       text        NOT NULL,
    state            text        NOT NULL DEFAULT 'CLOSED',
    failures         integer     NOT NULL DEFAULT 0,       -- in a row, while CLOSED
    first_failure_at timestamptz,
    open_seconds     double precision,                     -- length of the present rest; doubles with each failed probe
    open_until       timestamptz,
    probing_until    timestamptz,                          -- HALF_OPEN: one call is out to see whether the API is back
    opened_total     bigint      NOT NULL DEFAULT 0,
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT api_circuit_pkey PRIMARY KEY (connection),
    CONSTRAINT api_circuit_state_known CHECK (state IN ('CLOSED', 'OPEN', 'HALF_OPEN')),
    CONSTRAINT api_circuit_rest_has_an_end CHECK ((state = 'CLOSED') = (open_until IS NULL)),
    CONSTRAINT api_circuit_rest_has_a_length CHECK ((open_until IS NULL) = (open_seconds IS NULL)),
    CONSTRAINT api_circuit_probe_only_half_open CHECK ((state = 'HALF_OPEN') = (probing_until IS NOT NULL))
) WITH (fillfactor = 50);

-- Includes that the plan refused: one of them fails the complete request. A refusal counts for seven days, as plans
-- change.
CREATE TABLE IF NOT EXISTS etl.forbidden_includes (
    connection text        NOT NULL,
    entity     text        NOT NULL,
    include    text        NOT NULL,
    code       integer,
    message    text        NOT NULL DEFAULT '',
    learnt_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT forbidden_includes_pkey PRIMARY KEY (connection, entity, include),
    CONSTRAINT forbidden_includes_lower_case CHECK (include = lower(include) AND include <> '')
);


-- Football data ---------------------------------------------------------------------------------------------------
--
-- Newest payloads (raw) and typed tables (football). Ids are the provider's, all bigint.
-- There are no foreign keys between provider tables: the provider refers to rows that its plans do not deliver.
-- updated_at moves only when a row really changed; the loader's statements see to it.

CREATE TABLE IF NOT EXISTS raw.fixtures (
    fixture_id     bigint      PRIMARY KEY,
    payload        jsonb       NOT NULL,
    content_hash   bytea       NOT NULL,           -- over the content; order of rows and fields that change for no reason left out
    includes       text[]      NOT NULL,
    reference_date date,                           -- day of the kick-off (UTC)
    collected_at   timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- lz4 packs a payload several times faster than the default; not every server is built with it.
DO $$
BEGIN
    ALTER TABLE raw.fixtures ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    NULL;
END $$;

CREATE TABLE IF NOT EXISTS football.states (
    id bigint PRIMARY KEY, state text, name text, short_name text, developer_name text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.types (
    id bigint PRIMARY KEY, name text, code text, developer_name text, model_type text, stat_group text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.leagues (
    id bigint PRIMARY KEY, country_id bigint, name text, short_code text, type text, sub_type text, category integer,
    active boolean, image_path text, last_played_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.seasons (
    id bigint PRIMARY KEY, league_id bigint NOT NULL, name text, is_current boolean NOT NULL DEFAULT false,
    finished boolean, pending boolean, starting_at date, ending_at date,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX IF NOT EXISTS idx_seasons_league ON football.seasons (league_id);
CREATE TABLE IF NOT EXISTS football.stages (
    id bigint PRIMARY KEY, league_id bigint, season_id bigint, type_id bigint, name text, sort_order integer,
    finished boolean, is_current boolean, starting_at date, ending_at date,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.rounds (
    id bigint PRIMARY KEY, league_id bigint, season_id bigint, stage_id bigint, name text,
    finished boolean, is_current boolean, starting_at date, ending_at date,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.teams (
    id bigint PRIMARY KEY, country_id bigint, venue_id bigint, name text, short_code text, type text, gender text,
    founded integer, placeholder boolean, image_path text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.venues (
    id bigint PRIMARY KEY, country_id bigint, city_id bigint, name text, city_name text, address text, capacity integer,
    surface text, latitude numeric, longitude numeric, image_path text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());

-- PENDING (seen in an index only) -> COLLECTED; FAILED (cannot be read), MISSING (requested, not returned),
-- DELETED (tombstone).
CREATE TABLE IF NOT EXISTS football.fixtures (
    id                bigint      PRIMARY KEY,
    league_id         bigint      NOT NULL,
    season_id         bigint      NOT NULL,
    stage_id          bigint,
    round_id          bigint,
    group_id          bigint,
    aggregate_id      bigint,
    venue_id          bigint,
    state_id          bigint,
    name              text,
    starting_at       timestamptz,
    result_info       text,
    leg               text,
    details           text,
    length            integer,
    placeholder       boolean,
    has_odds          boolean,
    has_premium_odds  boolean,
    home_team_id      bigint,
    away_team_id      bigint,
    home_goals        integer,
    away_goals        integer,
    quality_score     smallint,
    -- Bookkeeping of the collector from here on; updated_at does not move with it.
    collection_status text        NOT NULL DEFAULT 'PENDING',
    ended_at          timestamptz,                -- end of play by the periods, else estimated from the kick-off
    first_fetched_at  timestamptz,
    last_fetched_at   timestamptz,                -- last answer that held it
    last_requested_at timestamptz,                -- last call that named it
    last_changed_at   timestamptz,                -- last read that brought something new
    unchanged_reads   integer     NOT NULL DEFAULT 0,
    held_reads        integer     NOT NULL DEFAULT 0,   -- reads in a row that the shrink guard held back or suspected
    held_hash         bytea,                      -- what is lost in them; content_hash = the stored payload is suspected
    missing_reads     integer     NOT NULL DEFAULT 0,   -- requested in a row, not returned
    failed_reads      integer     NOT NULL DEFAULT 0,
    last_error        text,
    index_changed_at  timestamptz,                -- the index showed another kick-off or state than stored
    index_missing_at  timestamptz,                -- no longer in the season's complete index since
    deleted_at        timestamptz,
    next_due_at       timestamptz,
    due_reason        text,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Includes that the last reading requested. The payload may hold more: sections that a response was not requested
    -- with (or that the plan refuses by now) stay as they were read last; raw.fixtures.includes lists all of them.
    read_includes     text[],
    CONSTRAINT fixtures_status_known CHECK (collection_status IN ('PENDING', 'COLLECTED', 'FAILED', 'MISSING', 'DELETED')),
    CONSTRAINT fixtures_quality_in_range CHECK (quality_score BETWEEN 0 AND 100),
    CONSTRAINT fixtures_tombstone_dated CHECK ((collection_status = 'DELETED') = (deleted_at IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS idx_fixtures_chunk ON football.fixtures (league_id, season_id, starting_at);
CREATE INDEX IF NOT EXISTS idx_fixtures_starting_at ON football.fixtures (starting_at);
-- Due fixtures are counted at every request of the page.
CREATE INDEX IF NOT EXISTS idx_fixtures_due ON football.fixtures (next_due_at) WHERE deleted_at IS NULL;

-- Child tables are keyed by fixture first: a fixture's rows lie together and are replaced together.
-- A row that the provider sends without an id gets its place in the list as a negative one.
CREATE TABLE IF NOT EXISTS football.fixture_participants (
    fixture_id bigint NOT NULL, team_id bigint NOT NULL, location text, winner boolean, position integer, name text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, team_id));
CREATE INDEX IF NOT EXISTS idx_fixture_participants_team ON football.fixture_participants (team_id);
CREATE TABLE IF NOT EXISTS football.fixture_scores (
    fixture_id bigint NOT NULL, id bigint NOT NULL, type_id bigint, participant_id bigint, goals integer,
    participant text, description text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));
CREATE TABLE IF NOT EXISTS football.fixture_events (
    fixture_id bigint NOT NULL, id bigint NOT NULL, period_id bigint, participant_id bigint, type_id bigint, sub_type_id bigint,
    player_id bigint, related_player_id bigint, coach_id bigint, player_name text, related_player_name text,
    result text, info text, addition text, minute integer, extra_minute integer, injured boolean, on_bench boolean,
    rescinded boolean, sort_order integer, section text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));
CREATE TABLE IF NOT EXISTS football.fixture_lineups (
    fixture_id bigint NOT NULL, id bigint NOT NULL, player_id bigint, team_id bigint, position_id bigint, type_id bigint,
    formation_field text, formation_position integer, player_name text, jersey_number integer,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));
CREATE INDEX IF NOT EXISTS idx_fixture_lineups_player ON football.fixture_lineups (player_id);
CREATE TABLE IF NOT EXISTS football.fixture_player_statistics (
    fixture_id bigint NOT NULL, id bigint NOT NULL, lineup_id bigint, player_id bigint, team_id bigint, type_id bigint,
    value numeric,                                  -- numbers; true and false as 1 and 0
    value_text text,                                -- whatever is not a number
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));
CREATE TABLE IF NOT EXISTS football.fixture_statistics (
    fixture_id bigint NOT NULL, id bigint NOT NULL, type_id bigint, participant_id bigint, location text,
    value numeric, value_text text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));
CREATE TABLE IF NOT EXISTS football.fixture_periods (
    fixture_id bigint NOT NULL, id bigint NOT NULL, type_id bigint, description text, started_at timestamptz, ended_at timestamptz,
    counts_from integer, ticking boolean, sort_order integer, time_added integer, minutes integer,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));

-- The ledger: what the provider changed after a fixture had been collected. Append-only.
CREATE TABLE IF NOT EXISTS etl.fixture_changes (
    change_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    fixture_id   bigint      NOT NULL,
    league_id    bigint,
    season_id    bigint,
    section      text        NOT NULL,              -- an include, or 'fixture' for a field of the fixture itself
    field        text,
    before       jsonb,
    after        jsonb,
    hours_after  numeric(12,2),                     -- after the end of the match; empty before it
    execution_id text
);
CREATE INDEX IF NOT EXISTS idx_fixture_changes_fixture ON etl.fixture_changes (fixture_id, change_id DESC);
CREATE INDEX IF NOT EXISTS idx_fixture_changes_time ON etl.fixture_changes (changed_at DESC);
-- Corrections of a chunk and of a run, newest first.
CREATE INDEX IF NOT EXISTS idx_fixture_changes_chunk ON etl.fixture_changes (league_id, season_id, change_id DESC);
CREATE INDEX IF NOT EXISTS idx_fixture_changes_execution ON etl.fixture_changes (execution_id, section) WHERE execution_id IS NOT NULL;

-- A response is saved here before the next call is begun, and deleted in the transaction that stores its data.
-- So a kill at any time costs the one call that was under way, and no response is ever stored twice.
CREATE TABLE IF NOT EXISTS etl.fetched_answers (
    answer_id    text        PRIMARY KEY,
    execution_id text        NOT NULL,
    league_id    bigint      NOT NULL,
    season_id    bigint      NOT NULL,
    fetched_at   timestamptz NOT NULL,
    packed       bytea       NOT NULL
);
-- The bytes are compressed already, so the server does not try again.
ALTER TABLE etl.fetched_answers ALTER COLUMN packed SET STORAGE EXTERNAL;
-- A collector that begins looks for the responses that its predecessor left.
CREATE INDEX IF NOT EXISTS idx_fetched_answers_chunk ON etl.fetched_answers (league_id, season_id, fetched_at);

-- Raw routes ------------------------------------------------------------------------------------------------------

-- Which route owns which raw table. Two routes whose names become the same table name are refused.
CREATE TABLE IF NOT EXISTS etl.raw_routes (
    table_name text        PRIMARY KEY,
    client     text        NOT NULL,
    route      text        NOT NULL,
    key_paths  text[],                          -- dotted paths that make record_key; NULL = the route has no key
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT raw_routes_named_once UNIQUE (client, route)
);

-- Where one route's run over one plan (period, windows, items) stands. Moves in the transaction that stores the rows.
-- RUNNING -> DONE | FAILED; a new try takes RUNNING and FAILED over where they stand, under a new fence.
CREATE TABLE IF NOT EXISTS etl.route_progress (
    route_name   text        NOT NULL,
    plan_hash    text        NOT NULL,
    execution_id text,
    status       text        NOT NULL DEFAULT 'RUNNING',
    fence        bigint      NOT NULL DEFAULT 1,   -- an older try that still lives can no longer commit
    date_from    date,
    date_to      date,
    slices       integer     NOT NULL,             -- windows x items of the plan
    slice_index  integer     NOT NULL DEFAULT 0,   -- the slice being read
    page_state   jsonb,                            -- the page that comes next; NULL = first page of the slice
    counters     jsonb       NOT NULL DEFAULT '{}',
    error_message text,
    started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (route_name, plan_hash),
    CONSTRAINT route_progress_status_known CHECK (status IN ('RUNNING', 'DONE', 'FAILED')),
    CONSTRAINT route_progress_within_plan CHECK (slice_index BETWEEN 0 AND slices)
);

-- Records that arrived and could not be stored, each once: none is lost without a trace.
CREATE TABLE IF NOT EXISTS etl.route_rejects (
    reject_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    route_name   text        NOT NULL,
    execution_id text,
    reason       text        NOT NULL,
    record       text        NOT NULL,             -- its JSON text, cut to 20,000 characters
    record_md5   text        NOT NULL,
    rejected_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT route_rejects_once UNIQUE (route_name, record_md5)
);
