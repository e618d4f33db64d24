-- The raw table of a route, made if need be: its name without schema. Parameters: client, route, key paths or NULL.
SELECT etl.ensure_raw_table(%s, %s, %s::text[])
