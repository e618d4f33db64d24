-- Periods out of the JSON of fixtures whose rows the client has not read.
INSERT INTO incoming_periods (
    fixture_id, id, type_id, description, started_at, ended_at, counts_from, ticking, sort_order, time_added,
    minutes, created_at, updated_at)
SELECT DISTINCT ON (i.fixture_id, coalesce(r.id, -r.place))
       i.fixture_id, coalesce(r.id, -r.place) AS id, r.type_id, r.description, etl.from_epoch(r.started) AS
       started_at, etl.from_epoch(r.ended) AS ended_at,
       r.counts_from, r.ticking, r.sort_order, r.time_added, r.minutes, i.collected_at, i.collected_at
FROM incoming i
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(i.periods) AS (
        id bigint, type_id bigint, description text, started bigint, ended bigint, counts_from integer, ticking
        boolean,
        sort_order integer, time_added integer, minutes integer))
    WITH ORDINALITY AS r(id, type_id, description, started, ended, counts_from, ticking, sort_order,
        time_added, minutes, place)
ORDER BY i.fixture_id, coalesce(r.id, -r.place), r.place DESC;
