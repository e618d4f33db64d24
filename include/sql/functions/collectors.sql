-- Incremental tracking: runs of collectors and the periods that they have fetched.

-- Writes one run of a collector: one row per name and execution, so that a repeated call counts nothing twice.
-- Call it in the data's own transaction. Figures and watermark left out (NULL) keep what the row has; a run that
-- goes back to 'running' starts again from zero.
CREATE OR REPLACE FUNCTION etl.record_collector_run(
    p_collector_name text, p_execution_id text DEFAULT NULL, p_status text DEFAULT 'success',
    p_processed bigint DEFAULT NULL, p_inserted bigint DEFAULT NULL, p_updated bigint DEFAULT NULL,
    p_unchanged bigint DEFAULT NULL, p_failed bigint DEFAULT NULL, p_watermark jsonb DEFAULT NULL,
    p_error_message text DEFAULT NULL, p_started_at timestamptz DEFAULT NULL,
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
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
) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE etl.collector_runs
    SET status = p_status, completed_at = p_now, records_processed = p_processed, records_inserted = p_inserted,
        records_updated = p_updated, records_unchanged = p_unchanged, records_failed = p_failed,
        watermark = coalesce(p_watermark, watermark), error_message = p_error_message, updated_at = p_now
    WHERE run_id = p_run_id AND status = 'running';
    RETURN FOUND;
END $$;

-- The run of a chunk's collector, counted from the plan: called where the chunk closes, in the same transaction.
-- A fixture that was never read before counts as inserted, one that was requested and not returned as failed. The
-- watermark is the time of the newest read.
CREATE OR REPLACE FUNCTION etl.record_chunk_run(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
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
CREATE OR REPLACE FUNCTION etl.collector_last_success(p_collector_name text) RETURNS timestamptz LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT completed_at FROM etl.collector_runs
    WHERE collector_name = p_collector_name AND status = 'success' ORDER BY completed_at DESC LIMIT 1
$$;

-- Watermark of the newest success that left one.
CREATE OR REPLACE FUNCTION etl.collector_watermark(p_collector_name text) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT watermark FROM etl.collector_runs
    WHERE collector_name = p_collector_name AND status = 'success' AND watermark IS NOT NULL
    ORDER BY completed_at DESC LIMIT 1
$$;

-- Parts (years, seasons) that a run fetched to their end.
CREATE OR REPLACE FUNCTION etl.mark_collector_periods(
    p_collector_name text, p_periods text[], p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO etl.collector_periods (collector_name, period, fetched_at)
    SELECT DISTINCT p_collector_name, period, p_now FROM unnest(p_periods) AS period ORDER BY 2
    ON CONFLICT (collector_name, period) DO UPDATE SET fetched_at = greatest(collector_periods.fetched_at, excluded.fetched_at)
$$;

-- Runs that were killed stay 'running'; this gives them an end. Number of runs closed.
CREATE OR REPLACE FUNCTION etl.close_abandoned_collector_runs(
    p_older_than interval DEFAULT '1 day', p_now timestamptz DEFAULT clock_timestamp()
) RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    WITH closed AS (
        UPDATE etl.collector_runs
        SET status = 'failed', completed_at = p_now, updated_at = p_now,
            error_message = 'The run ended without a word (killed?); start it again.'
        WHERE status = 'running' AND updated_at NOT BETWEEN p_now - p_older_than AND p_now + p_older_than
        RETURNING 1)
    SELECT count(*) FROM closed
$$;
