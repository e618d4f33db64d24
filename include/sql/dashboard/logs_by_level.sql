-- The same for some levels, or for one component: the newest lines of each level come from an index of its own, so rare
-- ones are found at once however far back they lie. They are chosen by their ids in the index: each line that is read lies in
-- a page of its own, which may have to come from the disk.
WITH chosen AS MATERIALIZED (
    SELECT l.log_id FROM unnest(%(levels)s::text[]) AS wanted(level)
    CROSS JOIN LATERAL (
        SELECT n.log_id
        FROM etl.etl_logs n
        WHERE n.level = wanted.level AND (%(component)s::text IS NULL OR n.component = %(component)s)
          AND (%(before)s::bigint IS NULL OR n.log_id < %(before)s)
        ORDER BY n.log_id DESC LIMIT %(scan)s) l
    ORDER BY l.log_id DESC LIMIT %(scan)s
), looked AS MATERIALIZED (
    SELECT log_id, timestamp, level, component, message, details, execution_id, chunk_id, fixture_id, duration_ms
    FROM chosen JOIN etl.etl_logs USING (log_id)
), reach AS (SELECT count(*) AS looked_at, min(log_id) AS oldest_id, min(timestamp) AS oldest_at FROM looked)
SELECT reach.looked_at, reach.oldest_id, reach.oldest_at, found.*
FROM reach LEFT JOIN LATERAL (
    SELECT * FROM looked
    WHERE (%(text)s::text IS NULL OR strpos(lower(message), lower(%(text)s)) > 0 OR strpos(lower(details::text), lower(%(text)s)) > 0)
    ORDER BY log_id DESC LIMIT %(limit)s) found ON true
ORDER BY found.log_id DESC;
