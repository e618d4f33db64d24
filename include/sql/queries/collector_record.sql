-- Where a collector's run stands; figures left out (NULL) keep what the row has.
SELECT etl.record_collector_run(%(name)s, %(execution_id)s, %(status)s, %(processed)s, %(inserted)s, %(updated)s,
                                %(unchanged)s, %(failed)s, p_error_message => %(error)s)
