-- Log lines, newest first. Conditions that an index supports are applied first, up to a limit of lines (scan) per page;
-- the others (levels, component, text) filter those lines. A page may therefore be short: looked_at and oldest_id say
-- how far it reached, and the next page continues there.
WITH looked AS MATERIALIZED (
    SELECT log_id, timestamp, level, component, message, details, execution_id, chunk_id, fixture_id, duration_ms
    FROM etl.etl_logs
    WHERE (%(before)s::bigint IS NULL OR log_id < %(before)s)
      AND (%(execution_id)s::text IS NULL OR execution_id = %(execution_id)s)
      AND (%(chunk_id)s::text IS NULL OR chunk_id = %(chunk_id)s)
      AND (%(fixture_id)s::bigint IS NULL OR fixture_id = %(fixture_id)s)
    ORDER BY log_id DESC LIMIT %(scan)s
), reach AS (SELECT count(*) AS looked_at, min(log_id) AS oldest_id, min(timestamp) AS oldest_at FROM looked)
SELECT reach.looked_at, reach.oldest_id, reach.oldest_at, found.*
FROM reach LEFT JOIN LATERAL (
    SELECT * FROM looked
    WHERE (%(levels)s::text[] IS NULL OR level = ANY(%(levels)s))
      AND (%(component)s::text IS NULL OR component = %(component)s)
      AND (%(text)s::text IS NULL OR strpos(lower(message), lower(%(text)s)) > 0 OR strpos(lower(details::text), lower(%(text)s)) > 0)
    ORDER BY log_id DESC LIMIT %(limit)s) found ON true
ORDER BY found.log_id DESC;
