-- Events out of the JSON of fixtures whose rows the client has not read.
INSERT INTO incoming_events (
    fixture_id, id, period_id, participant_id, type_id, sub_type_id, player_id, related_player_id, coach_id,
    player_name, related_player_name, result, info, addition, minute, extra_minute, injured, on_bench,
    rescinded, sort_order, section, created_at, updated_at)
SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -r.place))
       i.fixture_id, coalesce(r.id, -r.place) AS id, r.period_id, r.participant_id, r.type_id, r.sub_type_id,
       r.player_id, r.related_player_id, r.coach_id,
       r.player_name, r.related_player_name, r.result, r.info, r.addition, r.minute, r.extra_minute, r.injured,
       r.on_bench, r.rescinded, r.sort_order, r.section, i.collected_at, i.collected_at
FROM incoming i
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(i.events) AS (
        id bigint, period_id bigint, participant_id bigint, type_id bigint, sub_type_id bigint, player_id bigint,
        related_player_id bigint, coach_id bigint, player_name text, related_player_name text, result text, info text,
        addition text, minute integer, extra_minute integer, injured boolean, on_bench boolean, rescinded boolean,
        sort_order integer, section text))
    WITH ORDINALITY AS r(id, period_id, participant_id, type_id, sub_type_id, player_id, related_player_id,
        coach_id, player_name, related_player_name, result, info, addition, minute, extra_minute, injured,
        on_bench, rescinded, sort_order, section, place)
ORDER BY i.fixture_id, coalesce(r.id, -r.place), r.place DESC;
