-- Periods of the changed fixtures. The rows of a section that was not requested stay as they are.
WITH sent AS MATERIALIZED (
    SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -r.place))
           i.fixture_id, coalesce(r.id, -r.place) AS id, r.type_id, r.description, etl.from_epoch(r.started) AS started_at, etl.from_epoch(r.ended) AS ended_at,
           r.counts_from, r.ticking, r.sort_order, r.time_added, r.minutes, i.collected_at
    FROM incoming i
    CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(i.periods) AS (
            id bigint, type_id bigint, description text, started bigint, ended bigint, counts_from integer, ticking boolean,
            sort_order integer, time_added integer, minutes integer)) WITH ORDINALITY AS r(id, type_id, description, started, ended, counts_from, ticking, sort_order, time_added, minutes, place)
    ORDER BY i.fixture_id, coalesce(r.id, -r.place), r.place DESC
), gone AS (
    DELETE FROM football.fixture_periods t USING incoming i
    WHERE t.fixture_id = i.fixture_id AND i.known AND i.periods IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM sent s WHERE s.fixture_id = t.fixture_id AND s.id = t.id)
)
INSERT INTO football.fixture_periods AS t (
    fixture_id, id, type_id, description, started_at, ended_at, counts_from, ticking, sort_order, time_added, minutes, created_at, updated_at)
SELECT fixture_id, id, type_id, description, started_at, ended_at, counts_from, ticking, sort_order, time_added, minutes, collected_at, collected_at
FROM sent
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
