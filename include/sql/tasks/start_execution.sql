-- The run begins (or begins again after a clear).
SELECT etl.start_etl_execution(%(execution_id)s, %(config)s::jsonb, %(dag_id)s, %(run_id)s)
