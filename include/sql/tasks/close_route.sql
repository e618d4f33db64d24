-- The end of a route run, whatever became of its task: 'success', 'failed', or NULL when it never began.
SELECT etl.close_route_run(%(route)s, %(execution)s)
