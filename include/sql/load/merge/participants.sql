-- Who plays where of the incoming fixtures. The rows of a section that was not requested stay as they are.
DELETE FROM football.fixture_participants t USING incoming i
WHERE t.fixture_id = i.fixture_id AND 'participants' = ANY (i.sections)
  AND NOT EXISTS (SELECT 1 FROM incoming_participants s WHERE s.fixture_id = t.fixture_id AND s.team_id = t.team_id);
INSERT INTO football.fixture_participants AS t (
    fixture_id, team_id, location, winner, position, name, created_at, updated_at)
SELECT
    fixture_id, team_id, location, winner, position, name, created_at, updated_at
FROM incoming_participants
ON CONFLICT (fixture_id, team_id) DO UPDATE
    SET location = excluded.location, winner = excluded.winner, position = excluded.position, name = excluded.name,
        updated_at = excluded.updated_at
    WHERE (t.location, t.winner, t.position, t.name)
          IS DISTINCT FROM (excluded.location, excluded.winner, excluded.position, excluded.name);
