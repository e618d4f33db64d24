-- When a list of each season was last read.
SELECT substr(period, 8)::bigint, fetched_at FROM etl.collector_periods
WHERE collector_name = %(name)s AND period ~ '^season:[0-9]{1,18}$'
