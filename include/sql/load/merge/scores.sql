-- Scores of the incoming fixtures. The rows of a section that was not requested stay as they are.
DELETE FROM football.fixture_scores t USING incoming i
WHERE t.fixture_id = i.fixture_id AND 'scores' = ANY (i.sections)
  AND NOT EXISTS (SELECT 1 FROM incoming_scores s WHERE s.fixture_id = t.fixture_id AND s.id = t.id);
INSERT INTO football.fixture_scores AS t (
    fixture_id, id, type_id, participant_id, goals, participant, description, created_at, updated_at)
SELECT
    fixture_id, id, type_id, participant_id, goals, participant, description, created_at, updated_at
FROM incoming_scores
ON CONFLICT (fixture_id, id) DO UPDATE
    SET type_id = excluded.type_id, participant_id = excluded.participant_id, goals = excluded.goals,
        participant = excluded.participant, description = excluded.description,
        updated_at = excluded.updated_at
    WHERE (t.type_id, t.participant_id, t.goals, t.participant, t.description)
          IS DISTINCT FROM
          (excluded.type_id, excluded.participant_id, excluded.goals, excluded.participant, excluded.description);
