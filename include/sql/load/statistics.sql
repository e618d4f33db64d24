-- Statistics of the changed fixtures. The rows of a section that was not requested stay as they are.
WITH sent AS MATERIALIZED (
    SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -r.place))
           i.fixture_id, coalesce(r.id, -r.place) AS id, r.type_id, r.participant_id, r.location,
           CASE jsonb_typeof(r.data -> 'value') WHEN 'number' THEN (r.data -> 'value')::numeric
                                               WHEN 'boolean' THEN (r.data -> 'value')::boolean::integer END AS value,
           CASE WHEN jsonb_typeof(r.data -> 'value') NOT IN ('number', 'boolean', 'null') THEN r.data ->> 'value' END AS value_text, i.collected_at
    FROM incoming i
    CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(i.statistics) AS (
            id bigint, type_id bigint, participant_id bigint, location text, data jsonb)) WITH ORDINALITY AS r(id, type_id, participant_id, location, data, place)
    ORDER BY i.fixture_id, coalesce(r.id, -r.place), r.place DESC
), gone AS (
    DELETE FROM football.fixture_statistics t USING incoming i
    WHERE t.fixture_id = i.fixture_id AND i.known AND i.statistics IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM sent s WHERE s.fixture_id = t.fixture_id AND s.id = t.id)
)
INSERT INTO football.fixture_statistics AS t (
    fixture_id, id, type_id, participant_id, location, value, value_text, created_at, updated_at)
SELECT fixture_id, id, type_id, participant_id, location, value, value_text, collected_at, collected_at
FROM sent
ON CONFLICT (fixture_id, id) DO UPDATE
    SET type_id = excluded.type_id, participant_id = excluded.participant_id, location = excluded.location,
        value = excluded.value, value_text = excluded.value_text,
        updated_at = excluded.updated_at
    WHERE (t.type_id, t.participant_id, t.location, t.value, t.value_text)
          IS DISTINCT FROM
          (excluded.type_id, excluded.participant_id, excluded.location, excluded.value, excluded.value_text);
