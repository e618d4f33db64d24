-- A run begins: its number. Parameters: name, execution_id (may be NULL).
SELECT etl.record_collector_run(p_collector_name => %s, p_execution_id => %s, p_status => 'running')
