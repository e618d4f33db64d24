-- Every raw route with its table and its newest run.
SELECT client, route, table_name, estimated_rows, bytes, status, completed_at, records_processed, collected_to, error_message
  FROM etl.raw_route_status
