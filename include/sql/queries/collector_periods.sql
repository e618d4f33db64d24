-- Parts (years, seasons) that a run fetched completely. Parameters: name, array of texts, time of fetching (NULL = now).
SELECT etl.mark_collector_periods(%s, %s::text[], coalesce(%s::timestamptz, clock_timestamp()))
