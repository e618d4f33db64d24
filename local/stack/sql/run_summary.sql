-- The figures of one execution. Parameter: its id.
SELECT s.execution_id, s.status, s.duration_seconds, s.total_fixtures, s.processed_fixtures, s.successful_fixtures,
       s.failed_fixtures, s.total_chunks, s.processed_chunks, s.success_rate, s.fixtures_per_second, s.api_calls,
       s.error_message, e.estimate
FROM etl.get_etl_execution_summary(%s) AS s
JOIN etl.etl_executions AS e ON e.execution_id = s.execution_id
