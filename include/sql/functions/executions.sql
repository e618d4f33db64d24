-- Executions: their start, figures, report and end. All are idempotent: a retried task counts nothing twice.
-- The clock is a parameter everywhere, so that tests need no sleep.

CREATE OR REPLACE FUNCTION etl.log_etl_event(
    p_level text, p_component text, p_message text, p_details jsonb DEFAULT NULL, p_execution_id text DEFAULT NULL,
    p_chunk_id text DEFAULT NULL, p_fixture_id bigint DEFAULT NULL, p_duration_ms numeric DEFAULT NULL,
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO etl.etl_logs (timestamp, level, component, message, details, execution_id, chunk_id, fixture_id, duration_ms)
    VALUES (p_now, upper(p_level COLLATE "C"), p_component, p_message, p_details, p_execution_id, p_chunk_id, p_fixture_id, p_duration_ms)
    RETURNING log_id
$$;

CREATE OR REPLACE FUNCTION etl.record_etl_metric(
    p_execution_id text, p_metric_name text, p_metric_value double precision, p_metric_unit text DEFAULT NULL,
    p_tags jsonb DEFAULT '{}', p_now timestamptz DEFAULT clock_timestamp()
) RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO etl.etl_metrics (timestamp, execution_id, metric_name, metric_value, metric_unit, tags)
    VALUES (p_now, p_execution_id, p_metric_name, p_metric_value, p_metric_unit, coalesce(p_tags, '{}'))
    RETURNING metric_id
$$;

-- Starts an execution, or takes a finished one back to RUNNING when its tasks were cleared.
CREATE OR REPLACE FUNCTION etl.start_etl_execution(
    p_execution_id text, p_config jsonb DEFAULT '{}', p_dag_id text DEFAULT NULL, p_run_id text DEFAULT NULL,
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS text LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO etl.etl_executions (execution_id, config, dag_id, run_id, started_at, heartbeat_at, created_at, updated_at)
    VALUES (p_execution_id, coalesce(p_config, '{}'), p_dag_id, p_run_id, p_now, p_now, p_now, p_now)
    ON CONFLICT (execution_id) DO UPDATE
        SET status = 'RUNNING', finished_at = NULL, duration_seconds = NULL, error_message = NULL,
            idle_seconds = etl_executions.idle_seconds
                           + greatest(coalesce(extract(epoch FROM p_now - etl_executions.finished_at), 0), 0),
            attempts = etl_executions.attempts + (etl_executions.status <> 'RUNNING')::integer,
            config = CASE WHEN excluded.config = '{}' THEN etl_executions.config ELSE excluded.config END,
            dag_id = coalesce(excluded.dag_id, etl_executions.dag_id),
            run_id = coalesce(excluded.run_id, etl_executions.run_id),
            heartbeat_at = p_now, updated_at = p_now
    RETURNING execution_id
$$;

-- Recounts the figures of an execution from its plan; a run without a plan keeps what it was given.
CREATE OR REPLACE FUNCTION etl.recount_execution(p_execution_id text, p_now timestamptz DEFAULT clock_timestamp())
RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    UPDATE etl.etl_executions e
    SET total_fixtures = c.planned, processed_fixtures = c.processed, successful_fixtures = c.saved + c.unchanged,
        failed_fixtures = c.failed, missing_fixtures = c.missing, total_chunks = c.chunks, processed_chunks = c.done,
        heartbeat_at = greatest(e.heartbeat_at, p_now), updated_at = p_now
    FROM (SELECT count(*) AS chunks, count(*) FILTER (WHERE status = 'COMPLETED') AS done, coalesce(sum(planned), 0) AS planned,
                 coalesce(sum(processed), 0) AS processed, coalesce(sum(saved), 0) AS saved,
                 coalesce(sum(unchanged), 0) AS unchanged, coalesce(sum(failed), 0) AS failed,
                 coalesce(sum(missing), 0) AS missing
          FROM etl.execution_chunks WHERE execution_id = p_execution_id AND status <> 'SKIPPED') c
    WHERE e.execution_id = p_execution_id AND c.chunks > 0
$$;

-- Locks the chunks that an execution has open. Chunks are locked before their executions everywhere.
CREATE OR REPLACE FUNCTION etl.lock_open_chunks(p_execution_id text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM 1 FROM etl.chunks k
     WHERE k.status = 'RUNNING' AND k.last_execution_id = p_execution_id
        OR EXISTS (SELECT 1 FROM etl.execution_chunks c WHERE c.execution_id = p_execution_id AND c.status = 'RUNNING'
                   AND c.league_id = k.league_id AND c.season_id = k.season_id)
     ORDER BY k.league_id, k.season_id FOR UPDATE;
END $$;

-- Ends what an execution that is over has left open: its RUNNING chunks become FAILED with the reason. A run that was
-- marked in Airflow has such chunks, because their tasks were stopped. Returns how many there were.
CREATE OR REPLACE FUNCTION etl.close_open_chunks(
    p_execution_id text, p_reason text, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS integer LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_closed integer;
BEGIN
    PERFORM etl.lock_open_chunks(p_execution_id);
    PERFORM etl.recount_chunk(c.execution_id, c.league_id, c.season_id)
       FROM etl.execution_chunks c WHERE c.execution_id = p_execution_id AND c.status = 'RUNNING';
    UPDATE etl.execution_chunks SET status = 'FAILED', finished_at = p_now, error_message = coalesce(error_message, p_reason)
     WHERE execution_id = p_execution_id AND status = 'RUNNING';
    -- The fence moves, so that a worker that was only cut off can no longer write under the old lease.
    UPDATE etl.chunks SET status = 'FAILED', error_message = coalesce(error_message, p_reason), updated_at = p_now,
           fence = fence + (owner IS NOT NULL)::int, owner = NULL
     WHERE last_execution_id = p_execution_id AND status = 'RUNNING';
    GET DIAGNOSTICS v_closed = ROW_COUNT;
    RETURN v_closed;
END $$;

-- Finishes an execution. Figures left out are recounted from its plan, a status left out follows from its chunks:
-- FAILED when the plan never stood, when a chunk failed or was never finished.
CREATE OR REPLACE FUNCTION etl.finish_etl_execution(
    p_execution_id text, p_status text DEFAULT NULL, p_total_fixtures integer DEFAULT NULL,
    p_processed_fixtures integer DEFAULT NULL, p_successful_fixtures integer DEFAULT NULL,
    p_failed_fixtures integer DEFAULT NULL, p_total_chunks integer DEFAULT NULL, p_processed_chunks integer DEFAULT NULL,
    p_error_message text DEFAULT NULL, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_status text := p_status;
    v_error  text := p_error_message;
    v_end    timestamptz;
    v_row    etl.etl_executions;
BEGIN
    PERFORM etl.close_open_chunks(p_execution_id, 'Its tasks were stopped: killed, or the run was marked by hand. Clear the run to '
                                                  'go on where it stopped.', p_now);
    PERFORM etl.recount_execution(p_execution_id, p_now);
    SELECT * INTO v_row FROM etl.etl_executions WHERE execution_id = p_execution_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'No execution % to finish. Start it with etl.start_etl_execution().', p_execution_id;
    END IF;
    IF v_status IS NULL THEN
        IF v_row.planned_at IS NULL THEN
            v_status := 'FAILED';
            v_error := coalesce(v_error, v_row.error_message, 'The run ended before its plan stood; see the log of start.');
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
        duration_seconds = greatest(extract(epoch FROM v_end - started_at) - idle_seconds, 0), heartbeat_at = p_now, updated_at = p_now
    WHERE execution_id = p_execution_id;
    RETURN v_status;
END $$;

-- One execution as people ask for it; without an id the newest one.
CREATE OR REPLACE FUNCTION etl.get_etl_execution_summary(p_execution_id text DEFAULT NULL, p_now timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (execution_id text, dag_id text, status text, started_at timestamptz, finished_at timestamptz,
               duration_seconds numeric, total_fixtures integer, processed_fixtures integer, successful_fixtures integer,
               failed_fixtures integer, total_chunks integer, processed_chunks integer, success_rate numeric,
               fixtures_per_second numeric, api_calls bigint, failed_calls bigint, bytes bigint, missing_fixtures integer,
               error_message text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.execution_id, e.dag_id, e.status, e.started_at, e.finished_at, s.seconds, e.total_fixtures, e.processed_fixtures,
           e.successful_fixtures, e.failed_fixtures, e.total_chunks, e.processed_chunks,
           round(100.0 * e.successful_fixtures / nullif(e.processed_fixtures, 0), 2),
           round(e.processed_fixtures / nullif(s.seconds, 0), 2),
           e.api_calls, e.failed_calls, e.bytes, e.missing_fixtures, e.error_message
    FROM etl.etl_executions e
    CROSS JOIN LATERAL (SELECT coalesce(e.duration_seconds,
                               round(extract(epoch FROM p_now - e.started_at)::numeric - e.idle_seconds, 3)) AS seconds) s
    WHERE e.execution_id = coalesce(p_execution_id,
          (SELECT n.execution_id FROM etl.etl_executions n ORDER BY n.started_at DESC LIMIT 1))
$$;

CREATE OR REPLACE FUNCTION etl.get_etl_health_status(p_now timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (total_executions bigint, running_executions bigint, completed_executions bigint, failed_executions bigint,
               cancelled_executions bigint, avg_duration_seconds numeric, avg_success_rate numeric,
               last_execution_at timestamptz, logs_24h bigint, errors_24h bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
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

CREATE OR REPLACE FUNCTION etl.execution_report(p_execution_id text, p_with_metrics boolean DEFAULT false)
RETURNS jsonb LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_jsonb(s) || jsonb_build_object(
        'estimate', e.estimate,
        'chunks', (SELECT coalesce(jsonb_agg(to_jsonb(c) - 'execution_id' ORDER BY c.position), '[]')
                   FROM etl.execution_chunks c WHERE c.execution_id = p_execution_id))
        || CASE WHEN p_with_metrics THEN jsonb_build_object('metrics',
            (SELECT coalesce(jsonb_agg(to_jsonb(m) - 'execution_id' - 'metric_id' ORDER BY m.metric_id), '[]')
             FROM etl.etl_metrics m WHERE m.execution_id = p_execution_id)) ELSE '{}' END
    FROM etl.get_etl_execution_summary(p_execution_id) s
    JOIN etl.etl_executions e USING (execution_id)
$$;

-- Executions still called RUNNING that gave no sign of life for p_minutes. A run that waits for the budget in the
-- triggerer is silent too: ask Airflow for the state of its DAG run before closing it.
CREATE OR REPLACE FUNCTION etl.silent_executions(p_minutes double precision, p_now timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (execution_id text, dag_id text, run_id text, last_sign_at timestamptz) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.execution_id, e.dag_id, e.run_id, s.last_sign_at
    FROM etl.etl_executions e
    CROSS JOIN LATERAL (SELECT greatest(e.heartbeat_at, max(c.heartbeat_at)) AS last_sign_at
                        FROM etl.chunks c WHERE c.last_execution_id = e.execution_id) s
    WHERE e.status = 'RUNNING'
      -- A sign that lies further ahead was given before the server's clock was set back.
      AND s.last_sign_at NOT BETWEEN p_now - make_interval(secs => p_minutes * 60)
                                 AND p_now + make_interval(secs => p_minutes * 60)
$$;

-- Closes an execution whose DAG run is gone: its open chunks and itself become FAILED with the reason. False when it
-- has come back to life (a clear) since p_last_sign_at was read.
CREATE OR REPLACE FUNCTION etl.close_dead_execution(
    p_execution_id text, p_reason text, p_last_sign_at timestamptz, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM etl.lock_open_chunks(p_execution_id);
    PERFORM 1 FROM etl.execution_chunks WHERE execution_id = p_execution_id ORDER BY league_id, season_id FOR UPDATE;
    PERFORM 1 FROM etl.etl_executions
     WHERE execution_id = p_execution_id AND status = 'RUNNING' AND heartbeat_at <= p_last_sign_at FOR UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM etl.close_open_chunks(p_execution_id, p_reason, p_now);
    PERFORM etl.finish_etl_execution(p_execution_id, 'FAILED', p_error_message => p_reason, p_now => p_now);
    PERFORM etl.log_etl_event('ERROR', 'WATCH', 'Execution closed: ' || p_reason, NULL, p_execution_id, p_now => p_now);
    RETURN true;
END $$;
