-- Statistics per player of the incoming fixtures. The rows of a section that was not requested stay as they are.
DELETE FROM football.fixture_player_statistics t USING incoming i
WHERE t.fixture_id = i.fixture_id AND 'lineups.details' = ANY (i.sections)
  AND NOT EXISTS (SELECT 1 FROM incoming_player_statistics s WHERE s.fixture_id = t.fixture_id AND s.id = t.id);
INSERT INTO football.fixture_player_statistics AS t (
    fixture_id, id, lineup_id, player_id, team_id, type_id, value, value_text, created_at, updated_at)
SELECT
    fixture_id, id, lineup_id, player_id, team_id, type_id, value, value_text, created_at, updated_at
FROM incoming_player_statistics
ON CONFLICT (fixture_id, id) DO UPDATE
    SET lineup_id = excluded.lineup_id, player_id = excluded.player_id, team_id = excluded.team_id,
        type_id = excluded.type_id, value = excluded.value, value_text = excluded.value_text,
        updated_at = excluded.updated_at
    WHERE (t.lineup_id, t.player_id, t.team_id, t.type_id, t.value, t.value_text)
          IS DISTINCT FROM
          (excluded.lineup_id, excluded.player_id, excluded.team_id, excluded.type_id, excluded.value,
           excluded.value_text);
