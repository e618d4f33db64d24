-- One execution whole: the summary that people ask for, with what it was started with and what its plan promised.
SELECT s.*, e.run_id, e.heartbeat_at, e.planned_at, e.config, e.quote
FROM etl.get_etl_execution_summary(%(execution_id)s, %(now)s) s JOIN etl.etl_executions e USING (execution_id);
