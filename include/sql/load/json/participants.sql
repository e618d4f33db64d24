-- Who plays where out of the JSON of fixtures whose rows the client has not read.
INSERT INTO incoming_participants (
    fixture_id, team_id, location, winner, position, name, created_at, updated_at)
SELECT DISTINCT ON (i.fixture_id, r.id)
       i.fixture_id, r.id AS team_id, r.meta ->> 'location' AS location, etl.to_bool(r.meta ->> 'winner') AS winner,
       etl.to_int(r.meta ->> 'position') AS position, r.name, i.collected_at, i.collected_at
FROM incoming i
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(i.participants) AS (id bigint, name text, meta jsonb))
    WITH ORDINALITY AS r(id, name, meta, place)
WHERE r.id IS NOT NULL
ORDER BY i.fixture_id, r.id, r.place DESC;
