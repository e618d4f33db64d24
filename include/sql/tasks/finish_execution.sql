-- The run ends; figures and status follow from its plan. The last row is what the task returns.
-- A run that was stopped before its first task has no execution: there is nothing to finish then.
SELECT etl.finish_etl_execution(e.execution_id) FROM etl.etl_executions e WHERE e.execution_id = %(execution_id)s;
SELECT etl.log_etl_event(CASE s.status WHEN 'COMPLETED' THEN 'INFO' ELSE 'ERROR' END, 'EXECUTION',
           format('Execution %%s: %%s of %%s fixtures in %%s s', lower(s.status COLLATE "C"), s.processed_fixtures, s.total_fixtures, s.duration_seconds),
           CASE WHEN s.error_message IS NULL THEN NULL ELSE jsonb_build_object('error', s.error_message) END, s.execution_id)
FROM etl.get_etl_execution_summary(%(execution_id)s) s;
SELECT etl.execution_report(%(execution_id)s, %(with_metrics)s::boolean)
