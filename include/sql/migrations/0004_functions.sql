-- Functions that keep the execution tables. All idempotent: a retried task counts nothing twice.
-- The clock is a parameter everywhere, so that tests need no sleep.

-- Numbers as the provider sends them: integers have been seen as "" and as strings. Anything else becomes NULL,
-- because one odd field must not cost a fixture.
CREATE OR REPLACE FUNCTION etl.to_bigint(p_text text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_text ~ '^-?[0-9]{1,18}$' THEN p_text::bigint END
$$;
CREATE OR REPLACE FUNCTION etl.to_int(p_text text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_text ~ '^-?[0-9]{1,9}$' THEN p_text::integer END
$$;
CREATE OR REPLACE FUNCTION etl.to_bool(p_text text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_text IN ('true', 't', '1') THEN true WHEN p_text IN ('false', 'f', '0') THEN false END
$$;
CREATE OR REPLACE FUNCTION etl.to_numeric(p_text text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_text ~ '^-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?$' THEN p_text::numeric
                WHEN p_text = 'true' THEN 1 WHEN p_text = 'false' THEN 0 END
$$;
-- Seconds since 1970, up to the year 9999; milliseconds and other numbers become NULL.
CREATE OR REPLACE FUNCTION etl.to_moment(p_seconds bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_seconds BETWEEN 0 AND 253402300799 THEN to_timestamp(p_seconds) END
$$;
-- "YYYY-MM-DD HH:MM:SS", always UTC. A text that looks right and is none (month 13) still becomes NULL.
CREATE OR REPLACE FUNCTION etl.to_utc(p_text text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF p_text !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' THEN RETURN NULL; END IF;
    RETURN replace(left(p_text, 19), 'T', ' ')::timestamp AT TIME ZONE 'UTC';
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION etl.log_etl_event(
    p_level text, p_component text, p_message text, p_details jsonb DEFAULT NULL, p_execution_id text DEFAULT NULL,
    p_chunk_id text DEFAULT NULL, p_fixture_id bigint DEFAULT NULL, p_duration_ms numeric DEFAULT NULL,
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO etl.etl_logs (timestamp, level, component, message, details, execution_id, chunk_id, fixture_id, duration_ms)
    VALUES (p_now, upper(p_level), p_component, p_message, p_details, p_execution_id, p_chunk_id, p_fixture_id, p_duration_ms)
    RETURNING log_id
$$;

CREATE OR REPLACE FUNCTION etl.record_etl_metric(
    p_execution_id text, p_metric_name text, p_metric_value double precision, p_metric_unit text DEFAULT NULL,
    p_tags jsonb DEFAULT '{}', p_now timestamptz DEFAULT clock_timestamp()
) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO etl.etl_metrics (timestamp, execution_id, metric_name, metric_value, metric_unit, tags)
    VALUES (p_now, p_execution_id, p_metric_name, p_metric_value, p_metric_unit, coalesce(p_tags, '{}'))
    RETURNING metric_id
$$;

-- Starts an execution, or takes a finished one back to RUNNING when its tasks were cleared.
CREATE OR REPLACE FUNCTION etl.start_etl_execution(
    p_execution_id text, p_config jsonb DEFAULT '{}', p_dag_id text DEFAULT NULL, p_run_id text DEFAULT NULL,
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS text LANGUAGE sql AS $$
    INSERT INTO etl.etl_executions (execution_id, config, dag_id, run_id, started_at, heartbeat_at, created_at, updated_at)
    VALUES (p_execution_id, coalesce(p_config, '{}'), p_dag_id, p_run_id, p_now, p_now, p_now, p_now)
    ON CONFLICT (execution_id) DO UPDATE
        SET status = 'RUNNING', finished_at = NULL, duration_seconds = NULL, error_message = NULL,
            config = CASE WHEN excluded.config = '{}' THEN etl_executions.config ELSE excluded.config END,
            dag_id = coalesce(excluded.dag_id, etl_executions.dag_id),
            run_id = coalesce(excluded.run_id, etl_executions.run_id),
            heartbeat_at = p_now, updated_at = p_now
    RETURNING execution_id
$$;

-- Recounts the figures of an execution from its plan; a run without a plan keeps what it was given.
CREATE OR REPLACE FUNCTION etl.recount_execution(p_execution_id text, p_now timestamptz DEFAULT clock_timestamp())
RETURNS void LANGUAGE sql AS $$
    UPDATE etl.etl_executions e
    SET total_fixtures = c.planned, processed_fixtures = c.processed, successful_fixtures = c.saved + c.unchanged,
        failed_fixtures = c.failed, total_chunks = c.chunks, processed_chunks = c.done,
        heartbeat_at = greatest(e.heartbeat_at, p_now), updated_at = p_now
    FROM (SELECT count(*) AS chunks, count(*) FILTER (WHERE status = 'COMPLETED') AS done, coalesce(sum(planned), 0) AS planned,
                 coalesce(sum(processed), 0) AS processed, coalesce(sum(saved), 0) AS saved,
                 coalesce(sum(unchanged), 0) AS unchanged, coalesce(sum(failed), 0) AS failed
          FROM etl.execution_chunks WHERE execution_id = p_execution_id AND status <> 'SKIPPED') c
    WHERE e.execution_id = p_execution_id AND c.chunks > 0
$$;

-- Finishes an execution. Figures left out are recounted from its plan, a status left out follows from its chunks:
-- FAILED when the plan never stood, when a chunk failed or was never finished.
CREATE OR REPLACE FUNCTION etl.finish_etl_execution(
    p_execution_id text, p_status text DEFAULT NULL, p_total_fixtures integer DEFAULT NULL,
    p_processed_fixtures integer DEFAULT NULL, p_successful_fixtures integer DEFAULT NULL,
    p_failed_fixtures integer DEFAULT NULL, p_total_chunks integer DEFAULT NULL, p_processed_chunks integer DEFAULT NULL,
    p_error_message text DEFAULT NULL, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_status text := p_status;
    v_error  text := p_error_message;
    v_end    timestamptz;
    v_row    etl.etl_executions;
BEGIN
    PERFORM etl.recount_execution(p_execution_id, p_now);
    SELECT * INTO v_row FROM etl.etl_executions WHERE execution_id = p_execution_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'No execution % to finish. Start it with etl.start_etl_execution().', p_execution_id;
    END IF;
    IF v_status IS NULL THEN
        IF v_row.planned_at IS NULL THEN
            v_status := 'FAILED';
            v_error := coalesce(v_error, v_row.error_message, 'The run ended before its plan stood; see the log of discover and plan.');
        ELSIF EXISTS (SELECT 1 FROM etl.execution_chunks
                      WHERE execution_id = p_execution_id AND status IN ('FAILED', 'RUNNING', 'PENDING')) THEN
            v_status := 'FAILED';
            SELECT coalesce(v_error, string_agg(format('%s: %s', coalesce(nullif(k.season_name, ''), c.season_id::text),
                                               coalesce(c.error_message, 'not finished')), '; ' ORDER BY c.position))
              INTO v_error
              FROM etl.execution_chunks c LEFT JOIN etl.chunks k USING (league_id, season_id)
             WHERE c.execution_id = p_execution_id AND c.status IN ('FAILED', 'RUNNING', 'PENDING');
        ELSE
            v_status := 'COMPLETED';
        END IF;
    END IF;
    -- A repeated finish with the same outcome keeps the end it had.
    v_end := CASE WHEN v_row.status = v_status THEN v_row.finished_at ELSE p_now END;
    UPDATE etl.etl_executions
    SET status = v_status, finished_at = v_end, first_finished_at = coalesce(first_finished_at, v_end), error_message = v_error,
        total_fixtures = coalesce(p_total_fixtures, total_fixtures),
        processed_fixtures = coalesce(p_processed_fixtures, processed_fixtures),
        successful_fixtures = coalesce(p_successful_fixtures, successful_fixtures),
        failed_fixtures = coalesce(p_failed_fixtures, failed_fixtures),
        total_chunks = coalesce(p_total_chunks, total_chunks),
        processed_chunks = coalesce(p_processed_chunks, processed_chunks),
        duration_seconds = greatest(extract(epoch FROM v_end - started_at), 0), heartbeat_at = p_now, updated_at = p_now
    WHERE execution_id = p_execution_id;
    RETURN v_status;
END $$;

-- One execution as people ask for it; without an id the newest one.
CREATE OR REPLACE FUNCTION etl.get_etl_execution_summary(p_execution_id text DEFAULT NULL, p_now timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (execution_id text, dag_id text, status text, started_at timestamptz, finished_at timestamptz,
               duration_seconds numeric, total_fixtures integer, processed_fixtures integer, successful_fixtures integer,
               failed_fixtures integer, total_chunks integer, processed_chunks integer, success_rate numeric,
               fixtures_per_second numeric, api_calls bigint, error_message text)
LANGUAGE sql STABLE AS $$
    SELECT e.execution_id, e.dag_id, e.status, e.started_at, e.finished_at, s.seconds, e.total_fixtures, e.processed_fixtures,
           e.successful_fixtures, e.failed_fixtures, e.total_chunks, e.processed_chunks,
           round(100.0 * e.successful_fixtures / nullif(e.processed_fixtures, 0), 2),
           round(e.processed_fixtures / nullif(s.seconds, 0), 2),
           (SELECT coalesce(sum(c.api_calls), 0) FROM etl.execution_chunks c WHERE c.execution_id = e.execution_id),
           e.error_message
    FROM etl.etl_executions e
    CROSS JOIN LATERAL (SELECT coalesce(e.duration_seconds,
                               round(extract(epoch FROM p_now - e.started_at)::numeric, 3)) AS seconds) s
    WHERE e.execution_id = coalesce(p_execution_id,
          (SELECT n.execution_id FROM etl.etl_executions n ORDER BY n.started_at DESC LIMIT 1))
$$;

CREATE OR REPLACE FUNCTION etl.get_etl_health_status(p_now timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (total_executions bigint, running_executions bigint, completed_executions bigint, failed_executions bigint,
               cancelled_executions bigint, avg_duration_seconds numeric, avg_success_rate numeric,
               last_execution_at timestamptz, logs_24h bigint, errors_24h bigint)
LANGUAGE sql STABLE AS $$
    SELECT count(*), count(*) FILTER (WHERE status = 'RUNNING'), count(*) FILTER (WHERE status = 'COMPLETED'),
           count(*) FILTER (WHERE status = 'FAILED'), count(*) FILTER (WHERE status = 'CANCELLED'),
           round(avg(duration_seconds), 3),
           round(avg(100.0 * successful_fixtures / processed_fixtures) FILTER (WHERE processed_fixtures > 0), 2),
           max(started_at),
           (SELECT count(*) FROM etl.etl_logs l WHERE l.timestamp > p_now - interval '24 hours'),
           (SELECT count(*) FROM etl.etl_logs l
             WHERE l.timestamp > p_now - interval '24 hours' AND l.level IN ('ERROR', 'CRITICAL'))
    FROM etl.etl_executions
$$;

-- A chunk's work starts in this run (again, after a clear): the execution is RUNNING from here on.
CREATE OR REPLACE FUNCTION etl.open_chunk(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE etl.etl_executions
    SET status = 'RUNNING', finished_at = NULL, duration_seconds = NULL, error_message = NULL,
        heartbeat_at = p_now, updated_at = p_now
    WHERE execution_id = p_execution_id;
    INSERT INTO etl.execution_chunks (execution_id, league_id, season_id, status, started_at, tries)
    VALUES (p_execution_id, p_league_id, p_season_id, 'RUNNING', p_now, 1)
    ON CONFLICT (execution_id, league_id, season_id) DO UPDATE
        SET status = 'RUNNING', started_at = coalesce(execution_chunks.started_at, p_now), finished_at = NULL,
            collected_at = NULL, error_message = NULL, tries = execution_chunks.tries + 1;
    DELETE FROM etl.check_results WHERE execution_id = p_execution_id AND chunk_id = p_league_id || '_' || p_season_id;
    UPDATE etl.chunks
    SET status = 'RUNNING', error_message = NULL, last_execution_id = p_execution_id, updated_at = p_now
    WHERE league_id = p_league_id AND season_id = p_season_id;
    PERFORM etl.log_etl_event('INFO', 'CHUNK', 'Chunk opened', NULL, p_execution_id, p_league_id || '_' || p_season_id, NULL, NULL, p_now);
END $$;

-- Recounts a chunk within a run from the plan's rows.
CREATE OR REPLACE FUNCTION etl.recount_chunk(p_execution_id text, p_league_id bigint, p_season_id bigint)
RETURNS void LANGUAGE sql AS $$
    UPDATE etl.execution_chunks c
    SET planned = f.planned, processed = f.processed, saved = f.saved, unchanged = f.unchanged, failed = f.failed, missing = f.missing
    FROM (SELECT count(*) AS planned, count(*) FILTER (WHERE status <> 'PENDING') AS processed,
                 count(*) FILTER (WHERE status = 'SAVED') AS saved,
                 count(*) FILTER (WHERE status IN ('UNCHANGED', 'HELD')) AS unchanged,
                 count(*) FILTER (WHERE status = 'FAILED') AS failed, count(*) FILTER (WHERE status = 'MISSING') AS missing
          FROM etl.execution_fixtures
          WHERE execution_id = p_execution_id AND season_id = p_season_id) f
    WHERE c.execution_id = p_execution_id AND c.league_id = p_league_id AND c.season_id = p_season_id
$$;

-- What a chunk holds now, over all runs.
CREATE OR REPLACE FUNCTION etl.recount_coverage(p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp())
RETURNS void LANGUAGE sql AS $$
    UPDATE etl.chunks c
    SET total_fixtures = f.total, collected_fixtures = f.collected, settled_fixtures = f.settled, due_fixtures = f.due,
        failed_fixtures = f.failed, updated_at = p_now
    FROM (SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS total,
                 count(*) FILTER (WHERE collection_status = 'COLLECTED') AS collected,
                 count(*) FILTER (WHERE collection_status = 'COLLECTED'
                                    AND (next_due_at IS NULL OR next_due_at > p_now + interval '60 days')) AS settled,
                 count(*) FILTER (WHERE next_due_at <= p_now AND deleted_at IS NULL) AS due,
                 count(*) FILTER (WHERE collection_status IN ('FAILED', 'MISSING')) AS failed
          FROM football.fixtures WHERE league_id = p_league_id AND season_id = p_season_id) f
    WHERE c.league_id = p_league_id AND c.season_id = p_season_id
      AND (c.total_fixtures, c.collected_fixtures, c.settled_fixtures, c.due_fixtures, c.failed_fixtures)
          IS DISTINCT FROM (f.total, f.collected, f.settled, f.due, f.failed)
$$;

-- A chunk's work ends in this run. COMPLETED only when the collector reached the end of its plan and every
-- required check passed; otherwise FAILED with the reason that was noted.
CREATE OR REPLACE FUNCTION etl.close_chunk(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_chunk  text := p_league_id || '_' || p_season_id;
    v_row    etl.execution_chunks;
    v_failed text;
    v_status text;
    v_error  text;
    v_secs   double precision;
BEGIN
    PERFORM etl.recount_chunk(p_execution_id, p_league_id, p_season_id);
    SELECT * INTO v_row FROM etl.execution_chunks
     WHERE execution_id = p_execution_id AND league_id = p_league_id AND season_id = p_season_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;        -- the chunk was never opened in this run
    END IF;
    SELECT string_agg(name || ': ' || notes, '; ' ORDER BY name) INTO v_failed FROM etl.check_results
     WHERE execution_id = p_execution_id AND chunk_id = v_chunk AND required AND NOT success;
    IF v_row.collected_at IS NULL THEN
        v_status := 'FAILED';
        v_error := coalesce(v_row.error_message, 'The collector did not reach the end of its plan.');
    ELSIF v_failed IS NOT NULL THEN
        v_status := 'FAILED';
        v_error := 'Quality checks failed: ' || v_failed;
    ELSE
        v_status := 'COMPLETED';
    END IF;
    IF v_row.status = v_status THEN
        RETURN v_status;    -- closed already: a cleared group closes in its check, and again in its teardown
    END IF;
    UPDATE etl.execution_chunks SET status = v_status, finished_at = p_now, error_message = v_error
     WHERE execution_id = p_execution_id AND league_id = p_league_id AND season_id = p_season_id;
    UPDATE etl.chunks
    -- The owner stays: the collector gives its lease back itself, and another run may hold it by now.
    SET status = v_status, error_message = v_error, last_execution_id = p_execution_id,
        last_collected_at = CASE WHEN v_status = 'COMPLETED' THEN p_now ELSE last_collected_at END, updated_at = p_now
    WHERE league_id = p_league_id AND season_id = p_season_id;
    PERFORM etl.recount_coverage(p_league_id, p_season_id, p_now);
    PERFORM etl.recount_execution(p_execution_id, p_now);
    PERFORM etl.record_chunk_run(p_execution_id, p_league_id, p_season_id, p_now);
    v_secs := greatest(extract(epoch FROM p_now - v_row.started_at), 0.001);
    -- A repeated close replaces its figures instead of adding a second set.
    DELETE FROM etl.etl_metrics WHERE execution_id = p_execution_id AND tags ->> 'chunk_id' = v_chunk
       AND metric_name IN ('chunk_duration', 'fixtures_per_second', 'chunk_api_calls', 'chunk_failed_fixtures');
    PERFORM etl.record_etl_metric(p_execution_id, m.name, m.value, m.unit, jsonb_build_object('chunk_id', v_chunk), p_now)
    FROM (VALUES ('chunk_duration', v_secs, 's'), ('fixtures_per_second', v_row.processed / v_secs, 'fixtures/s'),
                 ('chunk_api_calls', v_row.api_calls::double precision, 'calls'),
                 ('chunk_failed_fixtures', v_row.failed::double precision, 'fixtures')) AS m(name, value, unit);
    PERFORM etl.log_etl_event(CASE v_status WHEN 'COMPLETED' THEN 'INFO' ELSE 'ERROR' END, 'CHUNK',
        format('Chunk %s: %s of %s fixtures, %s saved, %s unchanged, %s failed, %s missing', lower(v_status), v_row.processed,
               v_row.planned, v_row.saved, v_row.unchanged, v_row.failed, v_row.missing),
        CASE WHEN v_error IS NULL THEN NULL ELSE jsonb_build_object('error', v_error) END,
        p_execution_id, v_chunk, NULL, round((v_secs * 1000)::numeric, 1), p_now);
    -- "Clear only failed" runs neither open nor close nor finish again, because they had succeeded. So the last chunk
    -- that closes after that finishes the execution.
    PERFORM etl.finish_etl_execution(e.execution_id, p_now => p_now)
    FROM etl.etl_executions e
    WHERE e.execution_id = p_execution_id AND e.first_finished_at IS NOT NULL AND e.status = 'RUNNING'
      AND NOT EXISTS (SELECT 1 FROM etl.execution_chunks c
                      WHERE c.execution_id = p_execution_id AND c.status IN ('PENDING', 'RUNNING'));
    RETURN v_status;
END $$;

-- A chunk that this run had closed is being worked on again, without its open task.
CREATE OR REPLACE FUNCTION etl.reopen_chunk(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE sql AS $$
    SELECT etl.open_chunk(c.execution_id, c.league_id, c.season_id, p_now)
    FROM etl.execution_chunks c
    WHERE c.execution_id = p_execution_id AND c.league_id = p_league_id AND c.season_id = p_season_id
      AND c.status IN ('COMPLETED', 'FAILED')
$$;

-- A try failed. In a run that had ended before, no close task may follow, so the chunk closes here.
CREATE OR REPLACE FUNCTION etl.stop_chunk(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE sql AS $$
    SELECT etl.close_chunk(e.execution_id, p_league_id, p_season_id, p_now)
    FROM etl.etl_executions e
    WHERE e.execution_id = p_execution_id AND e.first_finished_at IS NOT NULL
$$;
