-- Statistics out of the JSON of fixtures whose rows the client has not read.
INSERT INTO incoming_statistics (
    fixture_id, id, type_id, participant_id, location, value, value_text, created_at, updated_at)
SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -r.place))
       i.fixture_id, coalesce(r.id, -r.place) AS id, r.type_id, r.participant_id, r.location,
       CASE jsonb_typeof(r.data -> 'value') WHEN 'number' THEN (r.data -> 'value')::numeric
                                           WHEN 'boolean' THEN (r.data -> 'value')::boolean::integer END AS value,
       CASE WHEN jsonb_typeof(r.data -> 'value') NOT IN ('number', 'boolean', 'null') THEN r.data ->> 'value'
       END AS value_text, i.collected_at, i.collected_at
FROM incoming i
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(i.statistics) AS (
        id bigint, type_id bigint, participant_id bigint, location text, data jsonb))
    WITH ORDINALITY AS r(id, type_id, participant_id, location, data, place)
ORDER BY i.fixture_id, coalesce(r.id, -r.place), r.place DESC;
