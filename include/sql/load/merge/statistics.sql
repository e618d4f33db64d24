-- Statistics of the incoming fixtures. The rows of a section that was not requested stay as they are.
DELETE FROM football.fixture_statistics t USING incoming i
WHERE t.fixture_id = i.fixture_id AND 'statistics' = ANY (i.sections)
  AND NOT EXISTS (SELECT 1 FROM incoming_statistics s WHERE s.fixture_id = t.fixture_id AND s.id = t.id);
INSERT INTO football.fixture_statistics AS t (
    fixture_id, id, type_id, participant_id, location, value, value_text, created_at, updated_at)
SELECT
    fixture_id, id, type_id, participant_id, location, value, value_text, created_at, updated_at
FROM incoming_statistics
ON CONFLICT (fixture_id, id) DO UPDATE
    SET type_id = excluded.type_id, participant_id = excluded.participant_id, location = excluded.location,
        value = excluded.value, value_text = excluded.value_text,
        updated_at = excluded.updated_at
    WHERE (t.type_id, t.participant_id, t.location, t.value, t.value_text)
          IS DISTINCT FROM
          (excluded.type_id, excluded.participant_id, excluded.location, excluded.value, excluded.value_text);
