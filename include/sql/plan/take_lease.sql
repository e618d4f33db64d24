-- Takes a chunk for this task: the fence grows, so the former owner can no longer commit. No row is returned while
-- another owner has sent a heartbeat within the timeout (seconds). Only the server's clock is compared, because the
-- clocks of the workers may differ.
UPDATE etl.chunks
SET fence = fence + 1, owner = %(owner)s, heartbeat_at = clock_timestamp(), status = 'RUNNING',
    last_execution_id = %(execution_id)s
WHERE league_id = %(league_id)s AND season_id = %(season_id)s
  AND (owner IS NULL OR owner = %(owner)s OR heartbeat_at IS NULL
       OR heartbeat_at < clock_timestamp() - make_interval(secs => %(timeout)s))
RETURNING fence
