-- Takes a chunk over for this task: the fence moves, so whoever held it before can no longer commit.
-- Another owner that has shown life within the patience keeps it, and nothing is returned. Life is told by the
-- server's clock alone: those of the workers may differ.
UPDATE etl.chunks
SET fence = fence + 1, owner = %(owner)s, heartbeat_at = coalesce(%(now)s, clock_timestamp()), status = 'RUNNING',
    last_execution_id = %(execution_id)s
WHERE league_id = %(league_id)s AND season_id = %(season_id)s
  AND (owner IS NULL OR owner = %(owner)s OR heartbeat_at IS NULL
       OR heartbeat_at < coalesce(%(now)s::timestamptz, clock_timestamp()) - make_interval(secs => %(patience)s))
RETURNING fence
