-- Incremental tracking: functions and views over etl.collector_runs, and timestamps for tables of one's own.
-- Tables and columns first, then functions, then the views that answer the usual questions.

-- A raw route may bring more records than an integer holds.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM information_schema.columns
                WHERE table_schema = 'etl' AND table_name = 'collector_runs'
                  AND column_name = 'records_processed' AND data_type = 'integer') THEN
        ALTER TABLE etl.collector_runs
            ALTER COLUMN records_processed TYPE bigint, ALTER COLUMN records_inserted TYPE bigint,
            ALTER COLUMN records_updated TYPE bigint, ALTER COLUMN records_unchanged TYPE bigint,
            ALTER COLUMN records_failed TYPE bigint;
    END IF;
END $$;

-- "When did this collector last succeed" is asked at every start.
CREATE INDEX IF NOT EXISTS idx_collector_runs_success
    ON etl.collector_runs (collector_name, completed_at DESC) WHERE status = 'success';

-- When a collector last fetched one year or season (or any part it names) with success. The age of a part cannot
-- be told from the collector's last run: a daily run is always young, whatever it left out.
CREATE TABLE IF NOT EXISTS etl.collector_periods (
    collector_name text        NOT NULL,
    period         text        NOT NULL,
    fetched_at     timestamptz NOT NULL,
    PRIMARY KEY (collector_name, period)
);

-- Writes one run of a collector: one row per name and execution, so that a repeated call counts nothing twice.
-- Call it in the data's own transaction. Figures and watermark left out (NULL) keep what the row has; a run that
-- goes back to 'running' starts again from zero.
CREATE OR REPLACE FUNCTION etl.record_collector_run(
    p_collector_name text, p_execution_id text DEFAULT NULL, p_status text DEFAULT 'success',
    p_processed bigint DEFAULT NULL, p_inserted bigint DEFAULT NULL, p_updated bigint DEFAULT NULL,
    p_unchanged bigint DEFAULT NULL, p_failed bigint DEFAULT NULL, p_watermark jsonb DEFAULT NULL,
    p_error_message text DEFAULT NULL, p_started_at timestamptz DEFAULT NULL,
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO etl.collector_runs AS r (
        collector_name, execution_id, status, started_at, completed_at, records_processed, records_inserted,
        records_updated, records_unchanged, records_failed, watermark, error_message, created_at, updated_at)
    VALUES (p_collector_name, p_execution_id, p_status, coalesce(p_started_at, p_now),
            CASE WHEN p_status <> 'running' THEN p_now END, coalesce(p_processed, 0), coalesce(p_inserted, 0),
            coalesce(p_updated, 0), coalesce(p_unchanged, 0), coalesce(p_failed, 0), p_watermark, p_error_message, p_now, p_now)
    ON CONFLICT (collector_name, execution_id) WHERE execution_id IS NOT NULL DO UPDATE
    SET status = excluded.status,
        started_at = CASE WHEN p_started_at IS NOT NULL THEN p_started_at
                          WHEN p_status = 'running' AND r.status <> 'running' THEN p_now ELSE r.started_at END,
        completed_at = excluded.completed_at,
        records_processed = coalesce(p_processed, CASE WHEN p_status = 'running' THEN 0 ELSE r.records_processed END),
        records_inserted = coalesce(p_inserted, CASE WHEN p_status = 'running' THEN 0 ELSE r.records_inserted END),
        records_updated = coalesce(p_updated, CASE WHEN p_status = 'running' THEN 0 ELSE r.records_updated END),
        records_unchanged = coalesce(p_unchanged, CASE WHEN p_status = 'running' THEN 0 ELSE r.records_unchanged END),
        records_failed = coalesce(p_failed, CASE WHEN p_status = 'running' THEN 0 ELSE r.records_failed END),
        watermark = coalesce(p_watermark, r.watermark), error_message = p_error_message, updated_at = p_now
    RETURNING run_id
$$;

-- Completes a run by its number; false when it is not running any more (another try has taken it over).
CREATE OR REPLACE FUNCTION etl.finish_collector_run(
    p_run_id bigint, p_status text, p_processed bigint, p_inserted bigint, p_updated bigint, p_unchanged bigint,
    p_failed bigint, p_watermark jsonb DEFAULT NULL, p_error_message text DEFAULT NULL,
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE etl.collector_runs
    SET status = p_status, completed_at = p_now, records_processed = p_processed, records_inserted = p_inserted,
        records_updated = p_updated, records_unchanged = p_unchanged, records_failed = p_failed,
        watermark = coalesce(p_watermark, watermark), error_message = p_error_message, updated_at = p_now
    WHERE run_id = p_run_id AND status = 'running';
    RETURN FOUND;
END $$;

-- The run of a chunk's collector, counted from the plan: called where the chunk closes, in the same transaction.
-- A fixture that was never read before is inserted; asked and not returned counts as failed. Watermark = newest read.
CREATE OR REPLACE FUNCTION etl.record_chunk_run(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE sql AS $$
    SELECT etl.record_collector_run(
        'chunk:' || p_league_id || '_' || p_season_id, p_execution_id,
        CASE c.status WHEN 'COMPLETED' THEN 'success' ELSE 'failed' END,
        c.processed, f.inserted, c.saved - f.inserted, c.unchanged, c.failed + c.missing,
        f.newest, c.error_message, c.started_at, p_now)
    FROM etl.execution_chunks c
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE p.status = 'SAVED' AND x.first_fetched_at = x.last_fetched_at) AS inserted,
               to_jsonb(max(x.last_fetched_at)) AS newest
        FROM football.fixtures x
        LEFT JOIN etl.execution_fixtures p
               ON p.fixture_id = x.id AND p.execution_id = p_execution_id AND p.season_id = p_season_id
        WHERE x.league_id = p_league_id AND x.season_id = p_season_id) f
    WHERE c.execution_id = p_execution_id AND c.league_id = p_league_id AND c.season_id = p_season_id
      AND c.status IN ('COMPLETED', 'FAILED')
$$;

-- End of the collector's last success; NULL = it never succeeded.
CREATE OR REPLACE FUNCTION etl.collector_last_success(p_collector_name text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT completed_at FROM etl.collector_runs
    WHERE collector_name = p_collector_name AND status = 'success' ORDER BY completed_at DESC LIMIT 1
$$;

-- Watermark of the newest success that left one.
CREATE OR REPLACE FUNCTION etl.collector_watermark(p_collector_name text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT watermark FROM etl.collector_runs
    WHERE collector_name = p_collector_name AND status = 'success' AND watermark IS NOT NULL
    ORDER BY completed_at DESC LIMIT 1
$$;

-- Parts (years, seasons) that a run fetched to their end.
CREATE OR REPLACE FUNCTION etl.mark_collector_periods(
    p_collector_name text, p_periods text[], p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO etl.collector_periods (collector_name, period, fetched_at)
    SELECT DISTINCT p_collector_name, period, p_now FROM unnest(p_periods) AS period ORDER BY 2
    ON CONFLICT (collector_name, period) DO UPDATE SET fetched_at = greatest(collector_periods.fetched_at, excluded.fetched_at)
$$;

-- Runs that were killed stay 'running'; this gives them an end. Number of runs closed.
CREATE OR REPLACE FUNCTION etl.close_abandoned_collector_runs(
    p_older_than interval DEFAULT '1 day', p_now timestamptz DEFAULT clock_timestamp()
) RETURNS bigint LANGUAGE sql AS $$
    WITH closed AS (
        UPDATE etl.collector_runs
        SET status = 'failed', completed_at = p_now, updated_at = p_now,
            error_message = 'The run ended without a word (killed?); start it again.'
        WHERE status = 'running' AND updated_at < p_now - p_older_than
        RETURNING 1)
    SELECT count(*) FROM closed
$$;

-- Triggers of etl.add_timestamps: updated_at moves only when another column really changed.
CREATE OR REPLACE FUNCTION etl.touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := OLD.updated_at;
    -- Compares bytes: works for types without an equality operator, such as json.
    IF NEW OPERATOR(pg_catalog.*<>) OLD THEN
        NEW.updated_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
-- Generated columns are still empty in NEW when this runs: they are left out by name (the arguments).
CREATE OR REPLACE FUNCTION etl.touch_updated_at_generated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := OLD.updated_at;
    IF (to_jsonb(NEW) - TG_ARGV) IS DISTINCT FROM (to_jsonb(OLD) - TG_ARGV) THEN
        NEW.updated_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;

-- Adds created_at and updated_at to a table and keeps updated_at true. Repeat it after adding a generated column.
-- Rows that are there get the time of this call. Example: SELECT etl.add_timestamps('public.my_table');
CREATE OR REPLACE FUNCTION etl.add_timestamps(p_table regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_column    text;
    v_type      text;
    v_generated text;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = p_table) NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is not a table: created_at and updated_at need one. Name the table behind it.', p_table;
    END IF;
    FOREACH v_column IN ARRAY ARRAY['created_at', 'updated_at'] LOOP
        SELECT format_type(atttypid, NULL) INTO v_type FROM pg_attribute
         WHERE attrelid = p_table AND attname = v_column AND NOT attisdropped;
        IF NOT FOUND THEN
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I timestamptz NOT NULL DEFAULT now()', p_table, v_column);
        ELSIF v_type NOT LIKE 'timestamp%' THEN
            RAISE EXCEPTION 'Column % of % is of type %. Rename it; a timestamp is needed.', v_column, p_table, v_type;
        ELSE
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT now()', p_table, v_column);
            EXECUTE format('UPDATE %s SET %2$I = now() WHERE %2$I IS NULL', p_table, v_column);
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', p_table, v_column);
        END IF;
    END LOOP;
    SELECT string_agg(quote_literal(attname), ', ') INTO v_generated FROM pg_attribute
     WHERE attrelid = p_table AND attgenerated <> '' AND NOT attisdropped;
    EXECUTE format('DROP TRIGGER IF EXISTS etl_touch_updated_at ON %s', p_table);
    EXECUTE format('CREATE TRIGGER etl_touch_updated_at BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s(%s)', p_table,
                   CASE WHEN v_generated IS NULL THEN 'etl.touch_updated_at' ELSE 'etl.touch_updated_at_generated' END,
                   coalesce(v_generated, ''));
END $$;

-- The newest runs of all collectors; run_number 1 = the newest of its collector.
CREATE OR REPLACE VIEW etl.collector_last_runs AS
SELECT collector_name, status, records_processed, records_inserted, records_updated, records_unchanged, records_failed,
       coalesce(completed_at, clock_timestamp()) - started_at AS duration, started_at, completed_at, watermark, error_message,
       execution_id, run_id, row_number() OVER (PARTITION BY collector_name ORDER BY started_at DESC, run_id DESC) AS run_number
FROM etl.collector_runs
ORDER BY coalesce(completed_at, 'infinity') DESC, run_id DESC;

-- Collectors that failed at least once; failing_now = their newest finished run failed.
CREATE OR REPLACE VIEW etl.collectors_with_errors AS
SELECT collector_name,
       count(*) FILTER (WHERE status = 'failed') AS failures,
       count(*) FILTER (WHERE status = 'success') AS successes,
       max(completed_at) AS last_run,
       max(completed_at) FILTER (WHERE status = 'success') AS last_success,
       max(completed_at) FILTER (WHERE status = 'failed') AS last_failure,
       (array_agg(error_message ORDER BY completed_at DESC) FILTER (WHERE status = 'failed'))[1] AS last_error,
       (array_agg(status ORDER BY completed_at DESC) FILTER (WHERE status <> 'running'))[1] = 'failed' AS failing_now
FROM etl.collector_runs
GROUP BY collector_name
HAVING count(*) FILTER (WHERE status = 'failed') > 0
ORDER BY failing_now DESC, last_failure DESC;

-- Throughput of the successful runs, slowest collector first; the first (full) run against the later (incremental) ones.
CREATE OR REPLACE VIEW etl.collector_throughput AS
WITH runs AS (
    SELECT collector_name, records_processed, extract(epoch FROM completed_at - started_at) AS seconds,
           row_number() OVER (PARTITION BY collector_name ORDER BY started_at, run_id) AS nth
    FROM etl.collector_runs WHERE status = 'success'
)
SELECT collector_name, count(*) AS runs,
       round(avg(records_processed)) AS avg_records,
       round(avg(seconds), 3) AS avg_seconds,
       round(sum(records_processed) / nullif(sum(seconds), 0), 1) AS records_per_second,
       max(records_processed) FILTER (WHERE nth = 1) AS first_records,
       round(max(seconds) FILTER (WHERE nth = 1), 3) AS first_seconds,
       round(avg(records_processed) FILTER (WHERE nth > 1)) AS later_avg_records,
       round(avg(seconds) FILTER (WHERE nth > 1), 3) AS later_avg_seconds,
       round(100 * (1 - avg(records_processed) FILTER (WHERE nth > 1)
                        / nullif(max(records_processed) FILTER (WHERE nth = 1), 0)), 1) AS records_saved_percent
FROM runs
GROUP BY collector_name
ORDER BY avg(seconds) DESC;
