-- Chunks (league and season) within an execution: their start, figures, quality checks and end.

-- A chunk's work starts in this run (again, after a clear): the execution is RUNNING from here on.
CREATE OR REPLACE FUNCTION etl.open_chunk(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The same order of locks everywhere: etl.chunks, etl.execution_chunks, etl.etl_executions. Whoever waits for a chunk
    -- holds no row of the books, for which all calls would wait. Attempts are counted where the collector takes the chunk.
    PERFORM 1 FROM etl.chunks WHERE league_id = p_league_id AND season_id = p_season_id FOR UPDATE;
    INSERT INTO etl.execution_chunks (execution_id, league_id, season_id, status, started_at)
    VALUES (p_execution_id, p_league_id, p_season_id, 'RUNNING', p_now)
    ON CONFLICT (execution_id, league_id, season_id) DO UPDATE
        SET status = 'RUNNING', started_at = coalesce(execution_chunks.started_at, p_now), finished_at = NULL,
            idle_seconds = execution_chunks.idle_seconds
                           + greatest(coalesce(extract(epoch FROM p_now - execution_chunks.finished_at), 0), 0),
            collected_at = NULL, error_message = NULL, waiting = false;
    UPDATE etl.etl_executions
    SET status = 'RUNNING', finished_at = NULL, duration_seconds = NULL, error_message = NULL,
        idle_seconds = idle_seconds + greatest(coalesce(extract(epoch FROM p_now - finished_at), 0), 0),
        attempts = attempts + (status <> 'RUNNING')::integer, heartbeat_at = p_now, updated_at = p_now
    WHERE execution_id = p_execution_id;
    DELETE FROM etl.check_results WHERE execution_id = p_execution_id AND chunk_id = p_league_id || '_' || p_season_id;
    UPDATE etl.chunks
    SET status = 'RUNNING', error_message = NULL, last_execution_id = p_execution_id, updated_at = p_now
    WHERE league_id = p_league_id AND season_id = p_season_id;
    PERFORM etl.log_etl_event('INFO', 'CHUNK', 'Chunk opened', NULL, p_execution_id, p_league_id || '_' || p_season_id, NULL, NULL, p_now);
END $$;

-- Recounts a chunk within a run from the plan's rows.
CREATE OR REPLACE FUNCTION etl.recount_chunk(p_execution_id text, p_league_id bigint, p_season_id bigint)
RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
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

-- Marks the fixtures of a season that are outside its index while another one with the same teams (or, while the teams of
-- one are not known, the same name) on the same day is in it; takes the mark from the others. A marked one has been read
-- once for being gone and is not read again. Returns how many marks were set or taken away.
CREATE OR REPLACE FUNCTION etl.mark_replaced(p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp())
RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    WITH outside AS (
        SELECT f.id, min(other.id) AS replaced_by
        FROM football.fixtures f
        LEFT JOIN football.fixtures other
          ON other.league_id = f.league_id AND other.season_id = f.season_id AND other.id <> f.id
         AND other.index_missing_at IS NULL AND other.deleted_at IS NULL
         -- Once marked it stays so, although its replacement may be moved to another day.
         AND (other.id = f.replaced_by
              OR ((other.starting_at AT TIME ZONE 'UTC')::date = (f.starting_at AT TIME ZONE 'UTC')::date
                  AND CASE WHEN (other.home_team_id, other.away_team_id, f.home_team_id, f.away_team_id) IS NOT NULL
                           THEN least(other.home_team_id, other.away_team_id) = least(f.home_team_id, f.away_team_id)
                                AND greatest(other.home_team_id, other.away_team_id) = greatest(f.home_team_id, f.away_team_id)
                           -- Names of placeholders ("TBC vs TBC") are shared by several matches.
                           ELSE other.name = f.name AND NOT coalesce(f.placeholder, false) END))
        WHERE f.league_id = p_league_id AND f.season_id = p_season_id AND f.index_missing_at IS NOT NULL AND f.deleted_at IS NULL
        GROUP BY f.id
    ), changed AS (
        SELECT f.id, o.replaced_by
        FROM football.fixtures f JOIN outside o USING (id)
        WHERE f.replaced_by IS DISTINCT FROM o.replaced_by
        ORDER BY f.id
        FOR UPDATE OF f
    ), marked AS (
        UPDATE football.fixtures f
        SET replaced_by = c.replaced_by,
            -- Without its replacement it is gone from the index anew.
            index_missing_at = CASE WHEN c.replaced_by IS NULL
                                    THEN greatest(p_now, f.last_fetched_at + interval '1 microsecond') ELSE f.index_missing_at END,
            next_due_at = CASE WHEN c.replaced_by IS NULL THEN p_now
                               WHEN f.last_requested_at > f.index_missing_at THEN NULL ELSE f.next_due_at END,
            due_reason  = CASE WHEN c.replaced_by IS NULL THEN 'gone_from_index'
                               WHEN f.last_requested_at > f.index_missing_at THEN NULL ELSE f.due_reason END
        FROM changed c
        WHERE f.id = c.id
        RETURNING f.id
    )
    SELECT count(*) FROM marked
$$;

-- What a chunk holds now, over all runs. In PL/pgSQL, because the views come after the functions.
CREATE OR REPLACE FUNCTION etl.recount_coverage(p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp())
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM etl.mark_replaced(p_league_id, p_season_id, p_now);
    UPDATE etl.chunks c
    SET total_fixtures = f.total, collected_fixtures = f.collected, settled_fixtures = f.settled, due_fixtures = f.due,
        failed_fixtures = f.failed, updated_at = p_now
    FROM (SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS total,
                 count(*) FILTER (WHERE collection_status = 'COLLECTED') AS collected,
                 count(*) FILTER (WHERE collection_status = 'COLLECTED'
                                    AND (next_due_at IS NULL OR next_due_at > p_now + interval '60 days')) AS settled,
                 (SELECT count(*) FROM football.fixture_schedule s
                  WHERE s.league_id = p_league_id AND s.season_id = p_season_id AND s.next_due_at <= p_now) AS due,
                 count(*) FILTER (WHERE collection_status IN ('FAILED', 'MISSING')) AS failed
          FROM football.fixtures
          WHERE league_id = p_league_id AND season_id = p_season_id AND replaced_by IS NULL) f
    WHERE c.league_id = p_league_id AND c.season_id = p_season_id
      AND (c.total_fixtures, c.collected_fixtures, c.settled_fixtures, c.due_fixtures, c.failed_fixtures)
          IS DISTINCT FROM (f.total, f.collected, f.settled, f.due, f.failed);
END $$;

-- A chunk's work ends in this run. COMPLETED only when the collector reached the end of its plan and every
-- required check passed; otherwise FAILED with the reason that was noted.
CREATE OR REPLACE FUNCTION etl.close_chunk(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_chunk  text := p_league_id || '_' || p_season_id;
    v_row    etl.execution_chunks;
    v_failed text;
    v_status text;
    v_error  text;
    v_secs   double precision;
BEGIN
    PERFORM 1 FROM etl.chunks WHERE league_id = p_league_id AND season_id = p_season_id FOR UPDATE;
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
        RETURN v_status;    -- closed already: a season closes after its checks, and again in its teardown
    END IF;
    UPDATE etl.execution_chunks SET status = v_status, finished_at = p_now, error_message = v_error
     WHERE execution_id = p_execution_id AND league_id = p_league_id AND season_id = p_season_id;
    UPDATE etl.chunks
    -- A collector that reached its end gives its lease back itself, and another run may hold it by now. One of this run that
    -- did not was stopped: its lease ends here, and the fence keeps a worker that was only cut off from writing.
    SET owner = CASE WHEN v_row.collected_at IS NULL AND last_execution_id = p_execution_id THEN NULL ELSE owner END,
        fence = fence + (v_row.collected_at IS NULL AND last_execution_id = p_execution_id AND owner IS NOT NULL)::int,
        status = v_status, error_message = v_error, last_execution_id = p_execution_id,
        last_collected_at = CASE WHEN v_status = 'COMPLETED' THEN p_now ELSE last_collected_at END, updated_at = p_now
    WHERE league_id = p_league_id AND season_id = p_season_id;
    PERFORM etl.recount_coverage(p_league_id, p_season_id, p_now);
    PERFORM etl.recount_execution(p_execution_id, p_now);
    PERFORM etl.record_chunk_run(p_execution_id, p_league_id, p_season_id, p_now);
    v_secs := greatest(extract(epoch FROM p_now - v_row.started_at) - v_row.idle_seconds, 0.001);
    -- A repeated close replaces its figures instead of adding a second set.
    DELETE FROM etl.etl_metrics WHERE execution_id = p_execution_id AND tags ->> 'chunk_id' = v_chunk
       AND metric_name IN ('chunk_duration', 'fixtures_per_second', 'chunk_api_calls', 'chunk_failed_fixtures');
    PERFORM etl.record_etl_metric(p_execution_id, m.name, m.value, m.unit, jsonb_build_object('chunk_id', v_chunk), p_now)
    FROM (VALUES ('chunk_duration', v_secs, 's'), ('fixtures_per_second', v_row.processed / v_secs, 'fixtures/s'),
                 ('chunk_api_calls', v_row.api_calls::double precision, 'calls'),
                 ('chunk_failed_fixtures', v_row.failed::double precision, 'fixtures')) AS m(name, value, unit);
    PERFORM etl.log_etl_event(CASE v_status WHEN 'COMPLETED' THEN 'INFO' ELSE 'ERROR' END, 'CHUNK',
        format('Chunk %s: %s of %s fixtures, %s saved, %s unchanged, %s failed, %s missing', lower(v_status COLLATE "C"), v_row.processed,
               v_row.planned, v_row.saved, v_row.unchanged, v_row.failed, v_row.missing),
        CASE WHEN v_error IS NULL THEN NULL ELSE jsonb_build_object('error', v_error) END,
        p_execution_id, v_chunk, NULL, round((v_secs * 1000)::numeric, 1), p_now);
    -- "Clear only failed" runs neither close nor finish again, because they had succeeded. So the last chunk that closes
    -- after that finishes the execution.
    PERFORM etl.finish_etl_execution(e.execution_id, p_now => p_now)
    FROM etl.etl_executions e
    WHERE e.execution_id = p_execution_id AND e.first_finished_at IS NOT NULL AND e.status = 'RUNNING'
      AND NOT EXISTS (SELECT 1 FROM etl.execution_chunks c
                      WHERE c.execution_id = p_execution_id AND c.status IN ('PENDING', 'RUNNING'));
    RETURN v_status;
END $$;

-- Until 0.2 the collector reopened its chunk with it.
DROP FUNCTION IF EXISTS etl.reopen_chunk(text, bigint, bigint, timestamptz);

-- A try failed. In a run that had ended before, no close task may follow, so the chunk closes here.
CREATE OR REPLACE FUNCTION etl.stop_chunk(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    SELECT etl.close_chunk(e.execution_id, p_league_id, p_season_id, p_now)
    FROM etl.etl_executions e
    WHERE e.execution_id = p_execution_id AND e.first_finished_at IS NOT NULL
$$;

-- What the data say about a season, in one word: UNREAD (its index was never read), EMPTY (its index lists nothing), RUNNING,
-- FAILED (its newest run failed, and it is incomplete), INCOMPLETE (due fixtures were never collected, or some have failed),
-- DUE (all are collected, some are to be read again), UP_TO_DATE (nothing is due, matches are to come), COMPLETE. A newest run
-- that failed to read again what is collected does not change what the data say.
CREATE OR REPLACE FUNCTION etl.season_state(
    p_status text, p_unread boolean, p_total bigint, p_collected bigint, p_due bigint, p_failed bigint
) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN p_status = 'RUNNING' THEN 'RUNNING'
                WHEN p_total = 0 THEN CASE WHEN p_status = 'FAILED' THEN 'FAILED' WHEN p_unread THEN 'UNREAD' ELSE 'EMPTY' END
                WHEN p_failed > 0 OR p_due > 0 AND p_collected < p_total THEN
                    CASE WHEN p_status = 'FAILED' THEN 'FAILED' ELSE 'INCOMPLETE' END
                WHEN p_due > 0 THEN 'DUE'
                WHEN p_collected < p_total THEN 'UP_TO_DATE'
                ELSE 'COMPLETE' END
$$;

-- Runs and records the checks of a chunk in a run; returns how many failed. A failed required check fails the chunk,
-- the others are only recorded.
CREATE OR REPLACE FUNCTION etl.run_chunk_checks(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS integer LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    WITH plan AS (
        SELECT p.fixture_id, p.status, f.collection_status, f.quality_score, r.fixture_id IS NOT NULL AS has_raw,
               -- Only such payloads are looked into: each of them has to be unpacked for that.
               CASE WHEN f.state_id IN (5, 7, 8) AND (f.home_goals IS NULL OR f.away_goals IS NULL)
                    THEN r.payload ? 'scores' END AS lacks_goals
        FROM etl.execution_fixtures p
        LEFT JOIN football.fixtures f ON f.id = p.fixture_id
        LEFT JOIN raw.fixtures r ON r.fixture_id = p.fixture_id
        WHERE p.execution_id = p_execution_id AND p.season_id = p_season_id
    ), checks(name, required, bad, notes) AS (
        SELECT 'plan_done', true, count(*) FILTER (WHERE status = 'PENDING'), 'planned fixtures that were never read' FROM plan
        UNION ALL
        SELECT 'stored', true,
               count(*) FILTER (WHERE status IN ('SAVED', 'UNCHANGED', 'HELD')
                                  AND (NOT has_raw OR coalesce(collection_status, '') NOT IN ('COLLECTED', 'DELETED'))),
               'fixtures marked as saved that are not in raw.fixtures and football.fixtures' FROM plan
        UNION ALL
        SELECT 'finished_have_goals', false, count(*) FILTER (WHERE lacks_goals), 'finished fixtures without a current score' FROM plan
        UNION ALL
        SELECT 'quality', false, count(*) FILTER (WHERE quality_score < 60), 'fixtures with a quality score below 60' FROM plan
        UNION ALL
        -- The provider, or a changed setting, may leave out a section of a season without any single match being wrong.
        SELECT 'rows_per_match', false, count(*) FILTER (WHERE v.ratio < 0.5),
               'sections with less than half the rows per match of the seasons before'
               || coalesce(': ' || string_agg(format('%s %s instead of %s', v.section, v.rows_per_match, v.earlier_rows_per_match),
                                              ', ') FILTER (WHERE v.ratio < 0.5), '')
        FROM football.rows_per_match(p_season_id) v
        WHERE v.matches >= 5 AND v.earlier_matches >= 10 AND v.earlier_rows_per_match >= 1
    )
    , written AS (
        INSERT INTO etl.check_results AS c (execution_id, chunk_id, name, required, success, notes, checked_at)
        SELECT p_execution_id, p_league_id || '_' || p_season_id, name, required, bad = 0, bad || ' ' || notes, p_now FROM checks
        ON CONFLICT (execution_id, chunk_id, name) DO UPDATE
            SET required = excluded.required, success = excluded.success, notes = excluded.notes, checked_at = excluded.checked_at
        RETURNING success
    )
    SELECT count(*) FILTER (WHERE NOT success)::integer FROM written
$$;

CREATE OR REPLACE FUNCTION etl.require_chunk_checks(p_execution_id text, p_league_id bigint, p_season_id bigint)
RETURNS integer LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_failed text;
    v_passed integer;
BEGIN
    SELECT string_agg(name || ': ' || notes, '; ' ORDER BY name) FILTER (WHERE required AND NOT success),
           count(*) FILTER (WHERE success)
      INTO v_failed, v_passed
      FROM etl.check_results WHERE execution_id = p_execution_id AND chunk_id = p_league_id || '_' || p_season_id;
    IF v_failed IS NOT NULL THEN
        RAISE EXCEPTION 'Quality checks failed for chunk %_%: %', p_league_id, p_season_id, v_failed
            USING HINT = 'See etl.check_results, then clear this group: it goes on with what is not marked off.';
    END IF;
    RETURN v_passed;
END $$;
