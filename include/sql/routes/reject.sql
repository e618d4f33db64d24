-- A record that cannot be stored. Parameters: route, execution, reason, text, text.
INSERT INTO etl.route_rejects (route_name, execution_id, reason, record, record_md5)
VALUES (%s, %s, %s, left(%s, 20000), md5(%s))
ON CONFLICT (route_name, record_md5) DO NOTHING
