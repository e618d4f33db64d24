-- What the schema etl remembers of rows that are gone: somebody has emptied tables of football or raw, or restored only one
-- of the schemas. Such marks are forgotten, so that everything is read again.

-- Makes fixtures look as if they had never been read.
CREATE OR REPLACE FUNCTION etl.forget_fixtures(p_ids bigint[], p_now timestamptz) RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    WITH found AS (
        SELECT id FROM football.fixtures WHERE id = ANY (p_ids) AND deleted_at IS NULL ORDER BY id FOR UPDATE
    ), forgotten AS (
        UPDATE football.fixtures f
        SET collection_status = 'PENDING', first_fetched_at = NULL, last_fetched_at = NULL, last_requested_at = NULL,
            read_includes = NULL, unchanged_reads = 0, held_reads = 0, held_hash = NULL, missing_reads = 0, failed_reads = 0,
            suspected_sections = NULL, suspected_at = NULL, index_changed_at = NULL, next_due_at = p_now,
            due_reason = 'never_collected'
        FROM found WHERE f.id = found.id
        RETURNING f.id
    )
    SELECT count(*) FROM forgotten
$$;

-- Looks for gaps of one league between what is marked and what is there, forgets the marks, and names what it found: seasons
-- whose index was read and that have no fixture, fixtures that were read and have no payload, tables of sections that are
-- empty although payloads have rows for them. Costs a few index lookups when nothing is lost.
CREATE OR REPLACE FUNCTION etl.forget_lost(p_league_id bigint, p_now timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (what text, number bigint) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_section text;
    v_empty boolean;
BEGIN
    -- Chunks before fixtures, as everywhere.
    PERFORM 1 FROM etl.chunks c
     WHERE c.league_id = p_league_id AND c.indexed_at IS NOT NULL AND c.total_fixtures > 0
       AND NOT EXISTS (SELECT 1 FROM football.fixtures f WHERE f.league_id = c.league_id AND f.season_id = c.season_id)
     ORDER BY c.league_id, c.season_id FOR NO KEY UPDATE;
    UPDATE etl.chunks c
    SET indexed_at = NULL, doubtful_indexes = 0, index_suspected_at = NULL, total_fixtures = 0, collected_fixtures = 0,
        settled_fixtures = 0, due_fixtures = 0, failed_fixtures = 0, updated_at = p_now
    WHERE c.league_id = p_league_id AND c.indexed_at IS NOT NULL AND c.total_fixtures > 0
      AND NOT EXISTS (SELECT 1 FROM football.fixtures f WHERE f.league_id = c.league_id AND f.season_id = c.season_id);
    GET DIAGNOSTICS number = ROW_COUNT;
    what := 'seasons without their fixtures';
    IF number > 0 THEN RETURN NEXT; END IF;

    number := etl.forget_fixtures(ARRAY(
        SELECT f.id FROM football.fixtures f
        WHERE f.league_id = p_league_id AND f.first_fetched_at IS NOT NULL AND f.deleted_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM raw.fixtures r WHERE r.fixture_id = f.id)), p_now);
    what := 'fixtures without their payload';
    IF number > 0 THEN RETURN NEXT; END IF;

    FOR v_section IN SELECT unnest('{participants,scores,events,lineups,statistics,periods}'::text[]) LOOP
        EXECUTE format('SELECT NOT EXISTS (SELECT 1 FROM football.%I)', 'fixture_' || v_section) INTO v_empty;
        CONTINUE WHEN NOT v_empty;
        number := etl.forget_fixtures(ARRAY(
            SELECT f.id FROM football.fixtures f JOIN raw.fixtures r ON r.fixture_id = f.id
            WHERE f.league_id = p_league_id AND f.first_fetched_at IS NOT NULL AND f.deleted_at IS NULL
              -- Payloads are unpacked only where the section was requested.
              AND CASE WHEN EXISTS (SELECT 1 FROM unnest(r.includes) AS i WHERE lower(i) LIKE v_section || '%')
                       THEN r.payload -> v_section -> 0 ->> 'id' IS NOT NULL END), p_now);
        what := format('fixtures without their %s', v_section);
        IF number > 0 THEN RETURN NEXT; END IF;
    END LOOP;

    IF NOT EXISTS (SELECT 1 FROM football.fixture_player_statistics) THEN
        number := etl.forget_fixtures(ARRAY(
            SELECT f.id FROM football.fixtures f JOIN raw.fixtures r ON r.fixture_id = f.id
            WHERE f.league_id = p_league_id AND f.first_fetched_at IS NOT NULL AND f.deleted_at IS NULL
              AND CASE WHEN EXISTS (SELECT 1 FROM unnest(r.includes) AS i WHERE lower(i) LIKE 'lineups.details%')
                       THEN jsonb_path_exists(r.payload, '$.lineups[*].details[*].id') END), p_now);
        what := 'fixtures without statistics of their players';
        IF number > 0 THEN RETURN NEXT; END IF;
    END IF;
END $$;

-- The same of the lists of seasons (stages, rounds, teams, venues): one whose table is empty although earlier runs stored
-- rows is due for every season. Returns their names.
CREATE OR REPLACE FUNCTION etl.forget_lost_lists() RETURNS SETOF text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_list text;
BEGIN
    FOR v_list IN SELECT name FROM etl.lost_lists() AS name LOOP
        DELETE FROM etl.collector_periods WHERE collector_name = 'structure:' || v_list;
        RETURN NEXT v_list;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION etl.lost_lists() RETURNS SETOF text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.name
    FROM (VALUES ('stages', EXISTS (SELECT 1 FROM football.stages)), ('rounds', EXISTS (SELECT 1 FROM football.rounds)),
                 ('teams', EXISTS (SELECT 1 FROM football.teams)), ('venues', EXISTS (SELECT 1 FROM football.venues))
         ) AS l(name, is_there)
    WHERE NOT l.is_there
      AND EXISTS (SELECT 1 FROM etl.collector_periods p WHERE p.collector_name = 'structure:' || l.name)
      -- A provider may have no rows of a list at all.
      AND EXISTS (SELECT 1 FROM etl.collector_runs r WHERE r.collector_name = 'structure:' || l.name AND r.records_inserted > 0)
$$;
