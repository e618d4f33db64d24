-- Contents that are new: their number. A content that comes twice in the batch counts where it came last.
-- Positions make collected_at rise within a batch, so that the newest version of a record is always one.
WITH batch AS (
    SELECT DISTINCT ON (content_hash) * FROM pg_temp.route_batch ORDER BY content_hash, position DESC
), stored AS (
    INSERT INTO {table} (collected_at, reference_date, request, payload, content_hash)
    SELECT transaction_timestamp() + position * interval '1 microsecond', reference_date, request, payload, content_hash
      FROM batch ORDER BY position
    ON CONFLICT (content_hash) DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM stored
