-- Events of the changed fixtures. The rows of a section that was not requested stay as they are.
WITH sent AS MATERIALIZED (
    SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -r.place))
           i.fixture_id, coalesce(r.id, -r.place) AS id, r.period_id, r.participant_id, r.type_id, r.sub_type_id, r.player_id, r.related_player_id, r.coach_id,
           r.player_name, r.related_player_name, r.result, r.info, r.addition, r.minute, r.extra_minute, r.injured,
           r.on_bench, r.rescinded, r.sort_order, r.section, i.collected_at
    FROM incoming i
    CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(i.events) AS (
            id bigint, period_id bigint, participant_id bigint, type_id bigint, sub_type_id bigint, player_id bigint,
            related_player_id bigint, coach_id bigint, player_name text, related_player_name text, result text, info text,
            addition text, minute integer, extra_minute integer, injured boolean, on_bench boolean, rescinded boolean,
            sort_order integer, section text)) WITH ORDINALITY AS r(id, period_id, participant_id, type_id, sub_type_id, player_id, related_player_id, coach_id, player_name, related_player_name, result, info, addition, minute, extra_minute, injured, on_bench, rescinded, sort_order, section, place)
    ORDER BY i.fixture_id, coalesce(r.id, -r.place), r.place DESC
), gone AS (
    DELETE FROM football.fixture_events t USING incoming i
    WHERE t.fixture_id = i.fixture_id AND i.known AND i.events IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM sent s WHERE s.fixture_id = t.fixture_id AND s.id = t.id)
)
INSERT INTO football.fixture_events AS t (
    fixture_id, id, period_id, participant_id, type_id, sub_type_id, player_id, related_player_id, coach_id, player_name,
    related_player_name, result, info, addition, minute, extra_minute, injured, on_bench, rescinded, sort_order,
    section, created_at, updated_at)
SELECT fixture_id, id, period_id, participant_id, type_id, sub_type_id, player_id, related_player_id, coach_id, player_name,
       related_player_name, result, info, addition, minute, extra_minute, injured, on_bench, rescinded, sort_order,
       section, collected_at, collected_at
FROM sent
ON CONFLICT (fixture_id, id) DO UPDATE
    SET period_id = excluded.period_id, participant_id = excluded.participant_id, type_id = excluded.type_id,
        sub_type_id = excluded.sub_type_id, player_id = excluded.player_id,
        related_player_id = excluded.related_player_id, coach_id = excluded.coach_id,
        player_name = excluded.player_name, related_player_name = excluded.related_player_name,
        result = excluded.result, info = excluded.info, addition = excluded.addition, minute = excluded.minute,
        extra_minute = excluded.extra_minute, injured = excluded.injured, on_bench = excluded.on_bench,
        rescinded = excluded.rescinded, sort_order = excluded.sort_order, section = excluded.section,
        updated_at = excluded.updated_at
    WHERE (t.period_id, t.participant_id, t.type_id, t.sub_type_id, t.player_id, t.related_player_id, t.coach_id,
           t.player_name, t.related_player_name, t.result, t.info, t.addition, t.minute, t.extra_minute, t.injured,
           t.on_bench, t.rescinded, t.sort_order, t.section)
          IS DISTINCT FROM
          (excluded.period_id, excluded.participant_id, excluded.type_id, excluded.sub_type_id, excluded.player_id,
           excluded.related_player_id, excluded.coach_id, excluded.player_name, excluded.related_player_name,
           excluded.result, excluded.info, excluded.addition, excluded.minute, excluded.extra_minute,
           excluded.injured, excluded.on_bench, excluded.rescinded, excluded.sort_order, excluded.section);
