-- Periods of the incoming fixtures. The rows of a section that was not requested stay as they are.
DELETE FROM football.fixture_periods t USING incoming i
WHERE t.fixture_id = i.fixture_id AND 'periods' = ANY (i.sections)
  AND NOT EXISTS (SELECT 1 FROM incoming_periods s WHERE s.fixture_id = t.fixture_id AND s.id = t.id);
INSERT INTO football.fixture_periods AS t (
    fixture_id, id, type_id, description, started_at, ended_at, counts_from, ticking, sort_order, time_added,
    minutes, created_at, updated_at)
SELECT
    fixture_id, id, type_id, description, started_at, ended_at, counts_from, ticking, sort_order, time_added,
    minutes, created_at, updated_at
FROM incoming_periods
ON CONFLICT (fixture_id, id) DO UPDATE
    SET type_id = excluded.type_id, description = excluded.description, started_at = excluded.started_at,
        ended_at = excluded.ended_at, counts_from = excluded.counts_from, ticking = excluded.ticking,
        sort_order = excluded.sort_order, time_added = excluded.time_added, minutes = excluded.minutes,
        updated_at = excluded.updated_at
    WHERE (t.type_id, t.description, t.started_at, t.ended_at, t.counts_from, t.ticking, t.sort_order, t.time_added,
           t.minutes)
          IS DISTINCT FROM
          (excluded.type_id, excluded.description, excluded.started_at, excluded.ended_at, excluded.counts_from,
           excluded.ticking, excluded.sort_order, excluded.time_added, excluded.minutes);
