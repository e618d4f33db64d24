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

-- Whether a payload has rows in a section that a table can hold: with a usable id. Unpacks the payload.
CREATE OR REPLACE FUNCTION etl.has_rows(p_payload jsonb, p_section text) RETURNS boolean LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1
        FROM jsonb_path_query(p_payload, CASE p_section WHEN 'lineups.details' THEN '$.lineups[*].details[*].id'::jsonpath
                                                        ELSE ('$.' || p_section || '[*].id')::jsonpath END) AS d(id)
        WHERE etl.to_bigint(d.id #>> '{}') IS NOT NULL)
$$;

-- Looks for gaps of one league between what is marked and what is there, forgets the marks, and names what it found: seasons
-- whose index was read and that have no fixture, payloads without their fixture, fixtures that were read and have no payload,
-- or no row of a section that their payload has rows of. Costs index lookups when nothing is lost, seven for a fixture.
-- Payloads are unpacked only where a section was requested and has no row: ten of a season, drawn anew each time, because
-- complete seasons come without lineups or statistics; the others once one of the ten has rows of the section.
-- Fixtures are locked once and in their order, as everywhere; one counts for the first thing that it lacks.
CREATE OR REPLACE FUNCTION etl.forget_lost(p_league_id bigint, p_now timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (what text, number bigint) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_some bigint[];
    v_all bigint[] := '{}';
BEGIN
    -- Chunks before fixtures, as everywhere.
    PERFORM 1 FROM etl.chunks c
     WHERE c.league_id = p_league_id AND c.indexed_at IS NOT NULL AND c.total_fixtures > 0
       AND NOT EXISTS (SELECT 1 FROM football.fixtures f WHERE f.league_id = c.league_id AND f.season_id = c.season_id)
     ORDER BY c.league_id, c.season_id FOR UPDATE;
    UPDATE etl.chunks c
    SET indexed_at = NULL, doubtful_indexes = 0, index_suspected_at = NULL, index_odd_rows = 0, total_fixtures = 0,
        collected_fixtures = 0, settled_fixtures = 0, due_fixtures = 0, failed_fixtures = 0, updated_at = p_now
    WHERE c.league_id = p_league_id AND c.indexed_at IS NOT NULL AND c.total_fixtures > 0
      AND NOT EXISTS (SELECT 1 FROM football.fixtures f WHERE f.league_id = c.league_id AND f.season_id = c.season_id);
    GET DIAGNOSTICS number = ROW_COUNT;
    what := 'seasons without their fixtures';
    IF number > 0 THEN RETURN NEXT; END IF;

    WITH orphan AS MATERIALIZED (
        -- First, so that no other payload is unpacked.
        SELECT r.fixture_id FROM raw.fixtures r
        WHERE NOT EXISTS (SELECT 1 FROM football.fixtures f WHERE f.id = r.fixture_id)
    )
    INSERT INTO football.fixtures (id, league_id, season_id, next_due_at, due_reason, created_at, updated_at)
    SELECT r.fixture_id, p.league_id, p.season_id, p_now, 'never_collected', p_now, p_now
    FROM orphan JOIN raw.fixtures r USING (fixture_id)
    CROSS JOIN LATERAL (SELECT etl.to_bigint(r.payload ->> 'league_id') AS league_id,
                               etl.to_bigint(r.payload ->> 'season_id') AS season_id) p
    WHERE p.league_id = p_league_id AND p.season_id IS NOT NULL
    ORDER BY r.fixture_id
    ON CONFLICT (id) DO NOTHING;
    GET DIAGNOSTICS number = ROW_COUNT;
    what := 'payloads without their fixtures';
    IF number > 0 THEN RETURN NEXT; END IF;

    FOR what, number, v_some IN
        WITH marked AS (
            SELECT f.id, f.season_id, f.suspected_sections, r.fixture_id IS NOT NULL AS has_payload, r.includes
            FROM football.fixtures f LEFT JOIN raw.fixtures r ON r.fixture_id = f.id
            WHERE f.league_id = p_league_id AND f.first_fetched_at IS NOT NULL AND f.deleted_at IS NULL
        ), lacking AS MATERIALIZED (
            SELECT m.id, m.season_id, e.place, e.section,
                   row_number() OVER (PARTITION BY m.season_id, e.section ORDER BY random()) AS draw
            FROM marked m
            -- With LIMIT each is one lookup in an index: EXISTS may become a scan of the table.
            CROSS JOIN LATERAL (VALUES
                (1, 'participants', (SELECT 1 FROM football.fixture_participants t WHERE t.fixture_id = m.id LIMIT 1)),
                (2, 'scores', (SELECT 1 FROM football.fixture_scores t WHERE t.fixture_id = m.id LIMIT 1)),
                (3, 'events', (SELECT 1 FROM football.fixture_events t WHERE t.fixture_id = m.id LIMIT 1)),
                (4, 'lineups', (SELECT 1 FROM football.fixture_lineups t WHERE t.fixture_id = m.id LIMIT 1)),
                (5, 'statistics', (SELECT 1 FROM football.fixture_statistics t WHERE t.fixture_id = m.id LIMIT 1)),
                (6, 'periods', (SELECT 1 FROM football.fixture_periods t WHERE t.fixture_id = m.id LIMIT 1)),
                (7, 'lineups.details', (SELECT 1 FROM football.fixture_player_statistics t WHERE t.fixture_id = m.id LIMIT 1))
            ) AS e(place, section, is_there)
            WHERE m.has_payload AND e.is_there IS NULL
              -- One that is noted came without usable rows.
              AND e.section <> ALL (string_to_array(coalesce(m.suspected_sections, ''), ', '))
              AND EXISTS (SELECT 1 FROM unnest(m.includes) AS i WHERE lower(i COLLATE "C") LIKE e.section || '%')
        ), affected AS MATERIALIZED (
            SELECT DISTINCT l.season_id, l.section
            FROM lacking l JOIN raw.fixtures r ON r.fixture_id = l.id
            WHERE l.draw <= 10 AND etl.has_rows(r.payload, l.section)
        ), lost AS (
            SELECT m.id, 0 AS place, '' AS section FROM marked m WHERE NOT m.has_payload
            UNION ALL
            SELECT l.id, l.place, l.section
            FROM lacking l
            JOIN affected a USING (season_id, section)
            JOIN raw.fixtures r ON r.fixture_id = l.id
            WHERE etl.has_rows(r.payload, l.section)
        ), first_lost AS (
            SELECT DISTINCT ON (id) id, section FROM lost ORDER BY id, place
        )
        SELECT CASE section WHEN '' THEN 'fixtures without their payload'
                            WHEN 'lineups.details' THEN 'fixtures without statistics of their players'
                            ELSE 'fixtures without their ' || section END,
               count(*), array_agg(id)
        FROM first_lost GROUP BY section ORDER BY section
    LOOP
        v_all := v_all || v_some;
        RETURN NEXT;
    END LOOP;
    PERFORM etl.forget_fixtures(v_all, p_now);
    -- These come from the warehouse's own rows and need no call.
    PERFORM etl.restore_player_figures(p_league_id, p_now);
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
