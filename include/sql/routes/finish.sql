-- The end of a try, with its collector's row; false = another try has taken over.
SELECT etl.finish_route_run(%(route)s, %(plan)s, %(fence)s, %(status)s, %(counters)s::jsonb, %(watermark)s::jsonb, %(error)s)
