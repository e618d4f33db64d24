-- A try begins: fence, slice, page state, counters so far, whether it goes on where another stopped.
SELECT fence, slice_index, page_state, counters, resumed
  FROM etl.begin_route_run(%(route)s, %(plan)s, %(execution)s, %(slices)s, %(date_from)s, %(date_to)s, %(force)s,
                           make_interval(secs => %(resume_seconds)s))
