-- The components that ever logged: one index probe per component instead of a scan.
WITH RECURSIVE names AS (
    (SELECT component FROM etl.etl_logs ORDER BY component LIMIT 1)
    UNION ALL
    SELECT (SELECT l.component FROM etl.etl_logs l WHERE l.component > n.component ORDER BY l.component LIMIT 1)
    FROM names n WHERE n.component IS NOT NULL
)
SELECT component FROM names WHERE component IS NOT NULL LIMIT 200;
