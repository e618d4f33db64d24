-- Contents that came back after another version of the same record: they are the newest again.
WITH batch AS (
    SELECT content_hash, transaction_timestamp() + max(position) * interval '1 microsecond' AS seen_at
      FROM pg_temp.route_batch GROUP BY content_hash
)
UPDATE {table} t SET collected_at = b.seen_at, updated_at = clock_timestamp()
  FROM batch b
 WHERE t.content_hash = b.content_hash AND t.collected_at < b.seen_at AND t.record_key IS NOT NULL
   AND EXISTS (SELECT 1 FROM {table} n
                WHERE n.record_key = t.record_key AND n.collected_at > t.collected_at AND n.collected_at < b.seen_at)
