-- Statistics per player (lineups.details) out of the JSON of fixtures whose rows the client has not read.
INSERT INTO incoming_player_statistics (
    fixture_id, id, lineup_id, player_id, team_id, type_id, value, value_text, created_at, updated_at)
SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -(l.place * 1000 + r.place)))
       i.fixture_id, coalesce(r.id, -(l.place * 1000 + r.place)) AS id, coalesce(r.lineup_id, l.id) AS
       lineup_id, coalesce(r.player_id, l.player_id) AS player_id,
       coalesce(r.team_id, l.team_id) AS team_id, r.type_id,
       CASE jsonb_typeof(r.data -> 'value') WHEN 'number' THEN (r.data -> 'value')::numeric
                                           WHEN 'boolean' THEN (r.data -> 'value')::boolean::integer END AS value,
       CASE WHEN jsonb_typeof(r.data -> 'value') NOT IN ('number', 'boolean', 'null') THEN r.data ->> 'value'
       END AS value_text,
       i.collected_at, i.collected_at
FROM incoming i
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(CASE WHEN i.lineups > 0 THEN coalesce(i.cleaned, i.payload) ->
'lineups' END) AS (
        id bigint, player_id bigint, team_id bigint, details jsonb))
    WITH ORDINALITY AS l(id, player_id, team_id, details, place)
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(
    CASE WHEN jsonb_typeof(l.details) = 'array' THEN l.details ELSE '[]' END) AS (
        id bigint, lineup_id bigint, player_id bigint, team_id bigint, type_id bigint, data jsonb)) WITH ORDINALITY
        AS r(id, lineup_id, player_id, team_id, type_id, data, place)
ORDER BY i.fixture_id, coalesce(r.id, -(l.place * 1000 + r.place)), r.place DESC;
