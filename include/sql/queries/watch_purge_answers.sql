-- One batch of answers that no task came back to store, of runs over before the retention. Their fixtures are due still;
-- what a collector is just storing is locked and left to it.
DELETE FROM etl.fetched_answers WHERE answer_id IN (
    SELECT a.answer_id FROM etl.fetched_answers a
    WHERE a.fetched_at < %(before)s
      AND NOT EXISTS (SELECT 1 FROM etl.etl_executions e
                      WHERE e.execution_id = a.execution_id AND (e.status = 'RUNNING' OR e.finished_at >= %(before)s))
    ORDER BY a.fetched_at LIMIT %(limit)s FOR UPDATE OF a SKIP LOCKED);
