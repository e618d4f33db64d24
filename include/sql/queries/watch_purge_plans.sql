-- One batch of planned fixtures of runs finished before the retention; the figures of those runs stay.
DELETE FROM etl.execution_fixtures f USING (
    SELECT p.ctid FROM etl.etl_executions e
    CROSS JOIN LATERAL (SELECT x.ctid FROM etl.execution_fixtures x WHERE x.execution_id = e.execution_id LIMIT %(limit)s) p
    WHERE e.finished_at < %(before)s LIMIT %(limit)s) old
WHERE f.ctid = old.ctid;
