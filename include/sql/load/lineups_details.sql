-- Statistics per player (lineups.details) of the changed fixtures. The rows of a section that was not requested stay
-- as they are.
-- Nineteen of twenty rows that a batch stores are these. A fixture without any yet takes the plain INSERT, which costs
-- half of one that looks for conflicts; its row in football.fixtures is locked, so nobody else can be bringing them.
WITH sent AS MATERIALIZED (
    SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -(l.place * 1000 + r.place)))
           i.fixture_id, coalesce(r.id, -(l.place * 1000 + r.place)) AS id, coalesce(r.lineup_id, l.id) AS lineup_id, coalesce(r.player_id, l.player_id) AS player_id,
           coalesce(r.team_id, l.team_id) AS team_id, r.type_id,
           CASE jsonb_typeof(r.data -> 'value') WHEN 'number' THEN (r.data -> 'value')::numeric
                                               WHEN 'boolean' THEN (r.data -> 'value')::boolean::integer END AS value,
           CASE WHEN jsonb_typeof(r.data -> 'value') NOT IN ('number', 'boolean', 'null') THEN r.data ->> 'value' END AS value_text,
           e.stored, i.collected_at
    FROM incoming i
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT 1 FROM football.fixture_player_statistics x WHERE x.fixture_id = i.fixture_id) AS stored OFFSET 0) e
    CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(CASE WHEN i.lineups > 0 THEN coalesce(i.cleaned, i.payload) -> 'lineups' END) AS (
            id bigint, player_id bigint, team_id bigint, details jsonb)) WITH ORDINALITY AS l(id, player_id, team_id, details, place)
    CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(
        CASE WHEN jsonb_typeof(l.details) = 'array' THEN l.details ELSE '[]' END) AS (
            id bigint, lineup_id bigint, player_id bigint, team_id bigint, type_id bigint, data jsonb)) WITH ORDINALITY
            AS r(id, lineup_id, player_id, team_id, type_id, data, place)
    ORDER BY i.fixture_id, coalesce(r.id, -(l.place * 1000 + r.place)), r.place DESC
), gone AS (
    DELETE FROM football.fixture_player_statistics t USING incoming i
    WHERE t.fixture_id = i.fixture_id AND i.known
      -- Lineups requested without details carry no information about them; an empty list of lineups has none.
      AND (i.lineups = 0 OR jsonb_path_exists(coalesce(i.cleaned, i.payload), '$.lineups[*].details'))
      AND NOT EXISTS (SELECT 1 FROM sent s WHERE s.fixture_id = t.fixture_id AND s.id = t.id)
), first AS (
    INSERT INTO football.fixture_player_statistics (
        fixture_id, id, lineup_id, player_id, team_id, type_id, value, value_text, created_at, updated_at)
    SELECT fixture_id, id, lineup_id, player_id, team_id, type_id, value, value_text, collected_at, collected_at
    FROM sent WHERE NOT stored
)
INSERT INTO football.fixture_player_statistics AS t (
    fixture_id, id, lineup_id, player_id, team_id, type_id, value, value_text, created_at, updated_at)
SELECT fixture_id, id, lineup_id, player_id, team_id, type_id, value, value_text, collected_at, collected_at
FROM sent WHERE stored
ON CONFLICT (fixture_id, id) DO UPDATE
    SET lineup_id = excluded.lineup_id, player_id = excluded.player_id, team_id = excluded.team_id,
        type_id = excluded.type_id, value = excluded.value, value_text = excluded.value_text,
        updated_at = excluded.updated_at
    WHERE (t.lineup_id, t.player_id, t.team_id, t.type_id, t.value, t.value_text)
          IS DISTINCT FROM
          (excluded.lineup_id, excluded.player_id, excluded.team_id, excluded.type_id, excluded.value,
           excluded.value_text);
