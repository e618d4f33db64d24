-- Quality checks of a chunk, the report of an execution, and views for people.

-- Runs and records the checks of a chunk in a run. Required ones fail the chunk, the others are told.
CREATE OR REPLACE FUNCTION etl.run_chunk_checks(
    p_execution_id text, p_league_id bigint, p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS integer LANGUAGE sql AS $$
    WITH plan AS (
        SELECT p.fixture_id, p.status, f.collection_status, f.state_id, f.home_goals, f.away_goals, f.quality_score,
               r.fixture_id IS NOT NULL AS has_raw, r.payload ? 'scores' AS asked_scores
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
        SELECT 'finished_have_goals', false,
               count(*) FILTER (WHERE state_id IN (5, 7, 8) AND asked_scores AND has_raw AND (home_goals IS NULL OR away_goals IS NULL)),
               'finished fixtures without a current score' FROM plan
        UNION ALL
        SELECT 'quality', false, count(*) FILTER (WHERE quality_score < 60), 'fixtures with a quality score below 60' FROM plan
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
RETURNS integer LANGUAGE plpgsql AS $$
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

-- An execution with its chunks, and its metrics when asked: what the run returns and what is exported.
CREATE OR REPLACE FUNCTION etl.execution_report(p_execution_id text, p_with_metrics boolean DEFAULT false)
RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(s) || jsonb_build_object(
        'quote', e.quote,
        'chunks', (SELECT coalesce(jsonb_agg(to_jsonb(c) - 'execution_id' ORDER BY c.position), '[]')
                   FROM etl.execution_chunks c WHERE c.execution_id = p_execution_id))
        || CASE WHEN p_with_metrics THEN jsonb_build_object('metrics',
            (SELECT coalesce(jsonb_agg(to_jsonb(m) - 'execution_id' - 'metric_id' ORDER BY m.metric_id), '[]')
             FROM etl.etl_metrics m WHERE m.execution_id = p_execution_id)) ELSE '{}' END
    FROM etl.get_etl_execution_summary(p_execution_id) s
    JOIN etl.etl_executions e USING (execution_id)
$$;

CREATE OR REPLACE VIEW football.fixture_results AS
SELECT f.id AS fixture_id, f.starting_at, l.name AS league, s.name AS season, h.name AS home_team, a.name AS away_team,
       f.home_goals, f.away_goals, st.developer_name AS state, f.result_info, f.quality_score, f.league_id, f.season_id,
       f.home_team_id, f.away_team_id
FROM football.fixtures f
LEFT JOIN football.leagues l ON l.id = f.league_id
LEFT JOIN football.seasons s ON s.id = f.season_id
LEFT JOIN football.teams h ON h.id = f.home_team_id
LEFT JOIN football.teams a ON a.id = f.away_team_id
LEFT JOIN football.states st ON st.id = f.state_id
WHERE f.deleted_at IS NULL;

CREATE OR REPLACE VIEW football.season_coverage AS
SELECT f.league_id, f.season_id, l.name AS league, s.name AS season, count(*) AS fixtures,
       count(*) FILTER (WHERE f.collection_status = 'COLLECTED') AS collected,
       count(*) FILTER (WHERE f.collection_status = 'PENDING') AS pending,
       count(*) FILTER (WHERE f.collection_status IN ('FAILED', 'MISSING')) AS failed,
       count(*) FILTER (WHERE f.state_id IN (5, 7, 8)) AS finished,
       round(avg(f.quality_score), 1) AS mean_quality, max(f.last_fetched_at) AS last_fetched_at,
       min(f.next_due_at) AS next_due_at
FROM football.fixtures f
LEFT JOIN football.leagues l ON l.id = f.league_id
LEFT JOIN football.seasons s ON s.id = f.season_id
WHERE f.deleted_at IS NULL
GROUP BY f.league_id, f.season_id, l.name, s.name;

CREATE OR REPLACE VIEW football.player_appearances AS
SELECT p.fixture_id, f.starting_at, f.season_id, p.player_id, p.player_name, p.team_id, t.name AS team,
       p.type_id = 11 AS started, p.jersey_number, p.formation_field,
       m.value AS minutes, r.value AS rating
FROM football.fixture_lineups p
JOIN football.fixtures f ON f.id = p.fixture_id
LEFT JOIN football.teams t ON t.id = p.team_id
LEFT JOIN LATERAL (SELECT value FROM football.fixture_player_statistics d
                   WHERE d.fixture_id = p.fixture_id AND d.lineup_id = p.id AND d.type_id = 119 LIMIT 1) m ON true
LEFT JOIN LATERAL (SELECT value FROM football.fixture_player_statistics d
                   WHERE d.fixture_id = p.fixture_id AND d.lineup_id = p.id AND d.type_id = 118 LIMIT 1) r ON true;
