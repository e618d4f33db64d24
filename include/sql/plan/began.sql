-- When an execution first began.
SELECT started_at FROM etl.etl_executions WHERE execution_id = %(execution_id)s
