-- A player's figures of a match, as football.fixture_player_figures has them, computed from football.fixture_player_statistics:
-- for payloads whose rows the client has not read, and for a table that somebody has emptied. load/copy.py computes the same.
CREATE OR REPLACE FUNCTION etl.player_figures(p_fixture_ids bigint[], p_now timestamptz)
-- Not SETOF the table: somebody may have added a column to that.
RETURNS TABLE (
    fixture_id bigint, lineup_id bigint,
    minutes numeric, rating numeric, captain numeric, goals numeric, assists numeric, own_goals numeric, yellow_cards
    numeric, second_yellow_cards numeric, red_cards numeric, shots numeric, shots_on_target numeric, expected_goals
    numeric, expected_goals_on_target numeric, passes numeric, accurate_passes numeric, key_passes numeric, crosses
    numeric, dribbles numeric, successful_dribbles numeric, touches numeric, duels_won numeric, tackles numeric,
    interceptions numeric, clearances numeric, fouls numeric, fouls_drawn numeric, offsides numeric, saves numeric,
    goals_conceded numeric,
    created_at timestamptz, updated_at timestamptz) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.id, s.*, p_now, p_now
    FROM unnest(p_fixture_ids) AS i(id)
    CROSS JOIN LATERAL (
        SELECT d.lineup_id,
               max(d.value) FILTER (WHERE d.type_id = 119),
               max(d.value) FILTER (WHERE d.type_id = 118),
               max(d.value) FILTER (WHERE d.type_id = 40),
               max(d.value) FILTER (WHERE d.type_id = 52),
               max(d.value) FILTER (WHERE d.type_id = 79),
               max(d.value) FILTER (WHERE d.type_id = 324),
               max(d.value) FILTER (WHERE d.type_id = 84),
               max(d.value) FILTER (WHERE d.type_id = 85),
               max(d.value) FILTER (WHERE d.type_id = 83),
               max(d.value) FILTER (WHERE d.type_id = 42),
               max(d.value) FILTER (WHERE d.type_id = 86),
               max(d.value) FILTER (WHERE d.type_id = 5304),
               max(d.value) FILTER (WHERE d.type_id = 5305),
               max(d.value) FILTER (WHERE d.type_id = 80),
               max(d.value) FILTER (WHERE d.type_id = 116),
               max(d.value) FILTER (WHERE d.type_id = 117),
               max(d.value) FILTER (WHERE d.type_id = 98),
               max(d.value) FILTER (WHERE d.type_id = 108),
               max(d.value) FILTER (WHERE d.type_id = 109),
               max(d.value) FILTER (WHERE d.type_id = 120),
               max(d.value) FILTER (WHERE d.type_id = 106),
               max(d.value) FILTER (WHERE d.type_id = 78),
               max(d.value) FILTER (WHERE d.type_id = 100),
               max(d.value) FILTER (WHERE d.type_id = 101),
               max(d.value) FILTER (WHERE d.type_id = 56),
               max(d.value) FILTER (WHERE d.type_id = 96),
               max(d.value) FILTER (WHERE d.type_id = 51),
               max(d.value) FILTER (WHERE d.type_id = 57),
               max(d.value) FILTER (WHERE d.type_id = 88)
        FROM football.fixture_player_statistics d
        WHERE d.fixture_id = i.id AND d.lineup_id IS NOT NULL
        GROUP BY d.lineup_id) s
$$;

-- Makes the missing figures of a league's matches, which have statistics and no figures; the number of these matches. Two
-- lookups in an index for each match that has been read.
CREATE OR REPLACE FUNCTION etl.restore_player_figures(p_league_id bigint, p_now timestamptz DEFAULT clock_timestamp())
RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_applied  timestamptz;
    v_lacking  bigint[];
    v_fixtures bigint;
BEGIN
    -- Tasks of the version before this table may have been under way when the migration came, and have stored statistics
    -- without figures: those of matches that were stored around that time, and not since, are made anew once.
    SELECT m.applied_at INTO v_applied FROM etl.schema_migrations m
     WHERE m.name = '0116_player_figures' AND m.applied_at > p_now - interval '2 days'
       AND m.applied_at > (SELECT min(applied_at) FROM etl.schema_migrations) + interval '1 hour';
    IF FOUND THEN
        DELETE FROM football.fixture_player_figures g
        USING football.fixtures f JOIN raw.fixtures r ON r.fixture_id = f.id
        WHERE f.league_id = p_league_id AND g.fixture_id = f.id AND g.updated_at < r.updated_at
          AND r.updated_at BETWEEN v_applied - interval '15 minutes' AND v_applied + interval '1 hour';
    END IF;
    SELECT array_agg(f.id) INTO v_lacking
      FROM football.fixtures f
      CROSS JOIN LATERAL (SELECT 1 FROM football.fixture_player_statistics d WHERE d.fixture_id = f.id LIMIT 1) d
     WHERE f.league_id = p_league_id
       AND (SELECT 1 FROM football.fixture_player_figures g WHERE g.fixture_id = f.id LIMIT 1) IS NULL;
    WITH made AS (
        INSERT INTO football.fixture_player_figures (
            fixture_id, lineup_id, minutes, rating, captain, goals, assists, own_goals, yellow_cards,
            second_yellow_cards, red_cards, shots, shots_on_target, expected_goals, expected_goals_on_target, passes,
            accurate_passes, key_passes, crosses, dribbles, successful_dribbles, touches, duels_won, tackles,
            interceptions, clearances, fouls, fouls_drawn, offsides, saves, goals_conceded, created_at, updated_at)
        SELECT g.* FROM etl.player_figures(v_lacking, p_now) g
        ON CONFLICT DO NOTHING
        RETURNING fixture_id
    )
    SELECT count(DISTINCT fixture_id) INTO v_fixtures FROM made;
    RETURN v_fixtures;
END $$;
