-- Typed views of what the shipped raw routes of the Sportmonks API collect: football.players, coaches, provider_standings,
-- top_scorers, squads and transfers, each over the newest records of its route's table. They are made with that table.

-- The columns of these views: by path in the record, with type and comment. New ones go to the end of their view.
CREATE OR REPLACE FUNCTION etl.football_columns()
RETURNS TABLE (table_name text, view_name text, place integer, column_name text, type text, note text) LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
    WITH person AS (
        SELECT * FROM (VALUES
            (1, 'id', 'bigint', NULL), (2, 'name', 'text', NULL), (3, 'display_name', 'text', NULL),
            (4, 'common_name', 'text', NULL), (5, 'firstname', 'text', NULL), (6, 'lastname', 'text', NULL),
            (7, 'date_of_birth', 'date', NULL), (8, 'gender', 'text', NULL), (9, 'height', 'integer', 'in centimetres'),
            (10, 'weight', 'integer', 'in kilograms'), (11, 'country_id', 'bigint', NULL),
            (12, 'nationality_id', 'bigint', NULL), (13, 'city_id', 'bigint', 'of birth'),
            (14, 'image_path', 'text', NULL)) AS p (place, column_name, type, note)
    )
    SELECT 'client_sportmonks_players', 'players', place, column_name, type, note FROM person
    UNION ALL SELECT 'client_sportmonks_coaches', 'coaches', place, column_name, type, note FROM person
    UNION ALL SELECT 'client_sportmonks_' || t.route, t.view, t.place, t.column_name, t.type, t.note FROM (VALUES
        ('players', 'players', 15, 'position_id', 'bigint', 'football.types'),
        ('players', 'players', 16, 'detailed_position_id', 'bigint', 'football.types'),
        ('players', 'players', 17, 'type_id', 'bigint', 'football.types'),
        ('coaches', 'coaches', 15, 'player_id', 'bigint', 'who the coach is as a player: football.players'),
        ('standings', 'provider_standings', 1, 'id', 'bigint', NULL),
        ('standings', 'provider_standings', 2, 'league_id', 'bigint', NULL),
        ('standings', 'provider_standings', 3, 'season_id', 'bigint', NULL),
        ('standings', 'provider_standings', 4, 'stage_id', 'bigint', NULL),
        ('standings', 'provider_standings', 5, 'group_id', 'bigint', NULL),
        ('standings', 'provider_standings', 6, 'round_id', 'bigint', 'the last round that counts'),
        ('standings', 'provider_standings', 7, 'participant_id', 'bigint', 'football.teams'),
        ('standings', 'provider_standings', 8, 'position', 'integer', NULL),
        ('standings', 'provider_standings', 9, 'points', 'integer', NULL),
        ('standings', 'provider_standings', 10, 'result', 'text', 'up, down or equal since the round before'),
        ('standings', 'provider_standings', 11, 'standing_rule_id', 'bigint', NULL),
        ('topscorers', 'top_scorers', 1, 'season_id', 'bigint', NULL),
        ('topscorers', 'top_scorers', 2, 'type_id', 'bigint', 'football.types: 208 goals, 209 assists, 84 yellow, 83 red cards'),
        ('topscorers', 'top_scorers', 3, 'position', 'integer', 'rank, shared on a tie'),
        ('topscorers', 'top_scorers', 4, 'player_id', 'bigint', NULL),
        ('topscorers', 'top_scorers', 5, 'participant_id', 'bigint', 'football.teams'),
        ('topscorers', 'top_scorers', 6, 'total', 'integer', NULL),
        ('squads', 'squads', 1, 'season_id', 'bigint', NULL),
        ('squads', 'squads', 2, 'team_id', 'bigint', NULL),
        ('squads', 'squads', 3, 'player_id', 'bigint', NULL),
        ('squads', 'squads', 4, 'position_id', 'bigint', 'football.types'),
        ('squads', 'squads', 5, 'detailed_position_id', 'bigint', 'football.types'),
        ('squads', 'squads', 6, 'jersey_number', 'integer', NULL),
        ('squads', 'squads', 7, 'start', 'date', 'of the contract'),
        ('squads', 'squads', 8, 'end', 'date', 'of the contract'),
        ('transfers', 'transfers', 1, 'id', 'bigint', NULL),
        ('transfers', 'transfers', 2, 'date', 'date', NULL),
        ('transfers', 'transfers', 3, 'player_id', 'bigint', NULL),
        ('transfers', 'transfers', 4, 'from_team_id', 'bigint', NULL),
        ('transfers', 'transfers', 5, 'to_team_id', 'bigint', NULL),
        ('transfers', 'transfers', 6, 'type_id', 'bigint', 'football.types: 218 loan, 219 transfer, 220 free'),
        ('transfers', 'transfers', 7, 'position_id', 'bigint', 'football.types'),
        ('transfers', 'transfers', 8, 'detailed_position_id', 'bigint', 'football.types'),
        ('transfers', 'transfers', 9, 'amount', 'numeric', 'in euros; NULL where it is not known'),
        ('transfers', 'transfers', 10, 'completed', 'boolean', NULL),
        ('transfers', 'transfers', 11, 'career_ended', 'boolean', NULL))
        AS t (route, view, place, column_name, type, note)
$$;

-- The typed view over a raw table; null where it has none.
CREATE OR REPLACE FUNCTION etl.football_view_of(p_table text) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.view_name FROM etl.football_columns() c WHERE c.table_name = p_table LIMIT 1
$$;

-- What a typed view has as its comment, by which it is known.
CREATE OR REPLACE FUNCTION etl.football_view_note(p_table text) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('The newest records of raw.%s, typed. Made with that table.', p_table)
$$;

-- Whether the typed view over a raw table is there, and no other object of that name.
CREATE OR REPLACE FUNCTION etl.is_football_view(p_table text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT obj_description(to_regclass(format('football.%I', v.name)), 'pg_class')
                            = etl.football_view_note(p_table)
                       FROM (SELECT etl.football_view_of(p_table)) AS v (name) WHERE v.name IS NOT NULL), false)
$$;

-- Makes the typed view over a raw table, or brings it up to date. Leaves alone what somebody else made under its name, and
-- does nothing for other tables and for one without a key.
CREATE OR REPLACE FUNCTION etl.shape_football_view(p_table text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_view    text := etl.football_view_of(p_table);
    v_columns text;
    v_column  record;
BEGIN
    IF v_view IS NULL OR to_regclass(format('raw.%I', p_table || '_latest')) IS NULL THEN
        RETURN;
    END IF;
    IF to_regclass(format('football.%I', v_view)) IS NOT NULL AND NOT etl.is_football_view(p_table) THEN
        RAISE NOTICE 'football.% was not made by this package and stays as it is.', v_view;
        RETURN;
    END IF;
    SELECT string_agg(format(CASE c.type WHEN 'bigint' THEN 'etl.to_bigint(payload ->> %1$L)'
                                         WHEN 'integer' THEN 'etl.to_int(payload ->> %1$L)'
                                         WHEN 'numeric' THEN 'etl.to_numeric(payload ->> %1$L)'
                                         WHEN 'boolean' THEN 'etl.to_bool(payload ->> %1$L)'
                                         WHEN 'date' THEN '(etl.to_time(payload ->> %1$L) AT TIME ZONE ''UTC'')::date'
                                         ELSE 'payload ->> %1$L' END || ' AS %1$I', c.column_name), ', ' ORDER BY c.place)
      INTO v_columns FROM etl.football_columns() c WHERE c.table_name = p_table;
    EXECUTE format('CREATE OR REPLACE VIEW football.%I AS SELECT collected_at, %s FROM raw.%I', v_view, v_columns,
                   p_table || '_latest');
    EXECUTE format('COMMENT ON VIEW football.%I IS %L', v_view, etl.football_view_note(p_table));
    EXECUTE format('COMMENT ON COLUMN football.%I.collected_at IS %L', v_view, 'when this version was found to be news');
    FOR v_column IN SELECT * FROM etl.football_columns() c WHERE c.table_name = p_table LOOP
        EXECUTE format('COMMENT ON COLUMN football.%I.%I IS %L', v_view, v_column.column_name,
                       coalesce(v_column.note, format('From the record: %s (%s).', v_column.column_name, v_column.type)));
    END LOOP;
END $$;

-- Tables that an older version made, or views whose columns have changed since.
DO $$
DECLARE
    v_table text;
BEGIN
    FOR v_table IN SELECT DISTINCT c.table_name FROM etl.football_columns() c LOOP
        PERFORM etl.shape_football_view(v_table);
    END LOOP;
END $$;
