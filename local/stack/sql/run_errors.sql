-- What went wrong in an execution, newest first? Parameter: its id.
SELECT component, message, coalesce(details ->> 'hint', details ->> 'mend') AS hint
FROM etl.etl_logs
WHERE execution_id = %s AND level IN ('ERROR', 'CRITICAL')
ORDER BY log_id DESC
LIMIT 5
