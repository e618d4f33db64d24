-- Where the run stands, in the batch's own transaction; false = another try has taken over.
SELECT etl.advance_route_run(%(route)s, %(plan)s, %(fence)s, %(slice)s, %(state)s::jsonb, %(counters)s::jsonb)
