-- Why the fixtures of one execution were due, and what became of them.
SELECT reason, count(*) AS planned, count(*) FILTER (WHERE status = 'SAVED') AS saved,
       count(*) FILTER (WHERE status = 'UNCHANGED') AS unchanged, count(*) FILTER (WHERE status = 'HELD') AS held,
       count(*) FILTER (WHERE status IN ('FAILED', 'MISSING')) AS failed, count(*) FILTER (WHERE status = 'PENDING') AS pending
FROM etl.execution_fixtures WHERE execution_id = %(execution_id)s
GROUP BY reason ORDER BY planned DESC, reason;
