-- What one execution was started with, what its plan promised, and its calls so far; its figures are in dashboard_executions.
SELECT e.planned_at, e.config, e.estimate, e.error_message,
       (SELECT coalesce(sum(c.api_calls), 0) FROM etl.execution_chunks c WHERE c.execution_id = e.execution_id) AS api_calls
FROM etl.etl_executions e WHERE e.execution_id = %(execution_id)s;
