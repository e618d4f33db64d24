-- The metrics that were ever recorded: one index probe per name instead of a scan.
WITH RECURSIVE names AS (
    (SELECT metric_name FROM etl.etl_metrics ORDER BY metric_name LIMIT 1)
    UNION ALL
    SELECT (SELECT m.metric_name FROM etl.etl_metrics m WHERE m.metric_name > n.metric_name ORDER BY m.metric_name LIMIT 1)
    FROM names n WHERE n.metric_name IS NOT NULL
)
SELECT metric_name FROM names WHERE metric_name IS NOT NULL LIMIT 500;
