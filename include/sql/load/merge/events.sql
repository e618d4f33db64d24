-- Events of the incoming fixtures. The rows of a section that was not requested stay as they are.
DELETE FROM football.fixture_events t USING incoming i
WHERE t.fixture_id = i.fixture_id AND 'events' = ANY (i.sections)
  AND NOT EXISTS (SELECT 1 FROM incoming_events s WHERE s.fixture_id = t.fixture_id AND s.id = t.id);
INSERT INTO football.fixture_events AS t (
    fixture_id, id, period_id, participant_id, type_id, sub_type_id, player_id, related_player_id, coach_id,
    player_name, related_player_name, result, info, addition, minute, extra_minute, injured, on_bench,
    rescinded, sort_order, section, created_at, updated_at)
SELECT
    fixture_id, id, period_id, participant_id, type_id, sub_type_id, player_id, related_player_id, coach_id,
    player_name, related_player_name, result, info, addition, minute, extra_minute, injured, on_bench,
    rescinded, sort_order, section, created_at, updated_at
FROM incoming_events
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
