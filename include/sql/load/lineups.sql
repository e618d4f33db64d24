-- Lineups of the changed fixtures. The rows of a section that was not requested stay as they are.
WITH sent AS MATERIALIZED (
    SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -r.place))
           i.fixture_id, coalesce(r.id, -r.place) AS id, r.player_id, r.team_id, r.position_id, r.type_id, r.formation_field, r.formation_position, r.player_name,
           r.jersey_number, i.collected_at
    FROM incoming i
    CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(CASE WHEN i.lineups > 0 THEN coalesce(i.cleaned, i.payload) -> 'lineups' END) AS (
            id bigint, player_id bigint, team_id bigint, position_id bigint, type_id bigint, formation_field text,
            formation_position integer, player_name text, jersey_number integer)) WITH ORDINALITY AS r(id, player_id, team_id, position_id, type_id, formation_field, formation_position, player_name, jersey_number, place)
    ORDER BY i.fixture_id, coalesce(r.id, -r.place), r.place DESC
), gone AS (
    DELETE FROM football.fixture_lineups t USING incoming i
    WHERE t.fixture_id = i.fixture_id AND i.known AND i.lineups IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM sent s WHERE s.fixture_id = t.fixture_id AND s.id = t.id)
)
INSERT INTO football.fixture_lineups AS t (
    fixture_id, id, player_id, team_id, position_id, type_id, formation_field, formation_position, player_name, jersey_number, created_at, updated_at)
SELECT fixture_id, id, player_id, team_id, position_id, type_id, formation_field, formation_position, player_name, jersey_number, collected_at, collected_at
FROM sent
ON CONFLICT (fixture_id, id) DO UPDATE
    SET player_id = excluded.player_id, team_id = excluded.team_id, position_id = excluded.position_id,
        type_id = excluded.type_id, formation_field = excluded.formation_field,
        formation_position = excluded.formation_position, player_name = excluded.player_name,
        jersey_number = excluded.jersey_number,
        updated_at = excluded.updated_at
    WHERE (t.player_id, t.team_id, t.position_id, t.type_id, t.formation_field, t.formation_position, t.player_name,
           t.jersey_number)
          IS DISTINCT FROM
          (excluded.player_id, excluded.team_id, excluded.position_id, excluded.type_id, excluded.formation_field,
           excluded.formation_position, excluded.player_name, excluded.jersey_number);
