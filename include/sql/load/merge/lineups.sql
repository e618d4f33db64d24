-- Lineups of the incoming fixtures. The rows of a section that was not requested stay as they are.
DELETE FROM football.fixture_lineups t USING incoming i
WHERE t.fixture_id = i.fixture_id AND 'lineups' = ANY (i.sections)
  AND NOT EXISTS (SELECT 1 FROM incoming_lineups s WHERE s.fixture_id = t.fixture_id AND s.id = t.id);
INSERT INTO football.fixture_lineups AS t (
    fixture_id, id, player_id, team_id, position_id, type_id, formation_field, formation_position, player_name,
    jersey_number, created_at, updated_at)
SELECT
    fixture_id, id, player_id, team_id, position_id, type_id, formation_field, formation_position, player_name,
    jersey_number, created_at, updated_at
FROM incoming_lineups
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
