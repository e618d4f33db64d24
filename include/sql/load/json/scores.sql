-- Scores out of the JSON of fixtures whose rows the client has not read.
INSERT INTO incoming_scores (
    fixture_id, id, type_id, participant_id, goals, participant, description, created_at, updated_at)
SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -r.place))
       i.fixture_id, coalesce(r.id, -r.place) AS id, r.type_id, r.participant_id, (r.score ->> 'goals')::integer
       AS goals,
       r.score ->> 'participant' AS participant, r.description, i.collected_at, i.collected_at
FROM incoming i
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(i.scores) AS (
        id bigint, type_id bigint, participant_id bigint, score jsonb, description text))
    WITH ORDINALITY AS r(id, type_id, participant_id, score, description, place)
ORDER BY i.fixture_id, coalesce(r.id, -r.place), r.place DESC;
