-- Parts (years, seasons) that a run fetched to their end. Parameters: name, array of texts.
SELECT etl.mark_collector_periods(%s, %s::text[])
