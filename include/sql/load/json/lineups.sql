-- Lineups out of the JSON of fixtures whose rows the client has not read.
INSERT INTO incoming_lineups (
    fixture_id, id, player_id, team_id, position_id, type_id, formation_field, formation_position, player_name,
    jersey_number, created_at, updated_at)
SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -r.place))
       i.fixture_id, coalesce(r.id, -r.place) AS id, r.player_id, r.team_id, r.position_id, r.type_id,
       r.formation_field, r.formation_position, r.player_name,
       r.jersey_number, i.collected_at, i.collected_at
FROM incoming i
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(CASE WHEN i.lineups > 0 THEN coalesce(i.cleaned, i.payload) ->
'lineups' END) AS (
        id bigint, player_id bigint, team_id bigint, position_id bigint, type_id bigint, formation_field text,
        formation_position integer, player_name text, jersey_number integer))
    WITH ORDINALITY AS r(id, player_id, team_id, position_id, type_id, formation_field, formation_position,
        player_name, jersey_number, place)
ORDER BY i.fixture_id, coalesce(r.id, -r.place), r.place DESC;
