-- The last day that the route has collected without a gap. Parameter: route.
SELECT (etl.collector_watermark(%s) ->> 'date_to')::date
