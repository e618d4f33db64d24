-- Scores of the changed fixtures. The rows of a section that was not requested stay as they are.
WITH sent AS MATERIALIZED (
    SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -r.place))
           i.fixture_id, coalesce(r.id, -r.place) AS id, r.type_id, r.participant_id, (r.score ->> 'goals')::integer AS goals,
           r.score ->> 'participant' AS participant, r.description, i.collected_at
    FROM incoming i
    CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(i.scores) AS (
            id bigint, type_id bigint, participant_id bigint, score jsonb, description text)) WITH ORDINALITY AS r(id, type_id, participant_id, score, description, place)
    ORDER BY i.fixture_id, coalesce(r.id, -r.place), r.place DESC
), gone AS (
    DELETE FROM football.fixture_scores t USING incoming i
    WHERE t.fixture_id = i.fixture_id AND i.known AND i.scores IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM sent s WHERE s.fixture_id = t.fixture_id AND s.id = t.id)
)
INSERT INTO football.fixture_scores AS t (
    fixture_id, id, type_id, participant_id, goals, participant, description, created_at, updated_at)
SELECT fixture_id, id, type_id, participant_id, goals, participant, description, collected_at, collected_at
FROM sent
ON CONFLICT (fixture_id, id) DO UPDATE
    SET type_id = excluded.type_id, participant_id = excluded.participant_id, goals = excluded.goals,
        participant = excluded.participant, description = excluded.description,
        updated_at = excluded.updated_at
    WHERE (t.type_id, t.participant_id, t.goals, t.participant, t.description)
          IS DISTINCT FROM
          (excluded.type_id, excluded.participant_id, excluded.goals, excluded.participant, excluded.description);
