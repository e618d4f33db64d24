-- Leagues with fixtures due for longer than the limit although nothing was collected in that time.
SELECT 'STALE_LEAGUE:' || s.league_id AS dedupe_key, 'CRITICAL' AS severity,
       coalesce(nullif(s.league_name, ''), 'League ' || s.league_id) AS subject,
       format('%%s fixtures are due, the oldest since %%s; %%s.', s.due, to_char(s.due_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
              coalesce('nothing was collected since ' || to_char(s.last_fetched_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), 'nothing was ever collected')) AS message,
       'Is the league''s DAG paused, or its last run failed? Unpause it or trigger it by hand.' AS hint,
       jsonb_build_object('due', s.due, 'due_since', s.due_since, 'last_fetched_at', s.last_fetched_at, 'seasons', s.seasons) AS details,
       s.last_execution_id AS execution_id, s.league_id, NULL::bigint AS season_id
FROM (SELECT k.league_id, max(k.league_name) AS league_name, sum(f.due) AS due, min(f.due_since) AS due_since,
             max(f.last_fetched_at) AS last_fetched_at, max(k.last_execution_id) AS last_execution_id,
             count(*) FILTER (WHERE f.due > 0) AS seasons
      FROM etl.chunks k
      CROSS JOIN LATERAL (SELECT count(s.fixture_id) AS due, min(s.due_since) AS due_since, max(d.last_fetched_at) AS last_fetched_at
                          FROM football.fixtures d
                          LEFT JOIN football.fixture_schedule s ON s.fixture_id = d.id AND s.next_due_at <= %(now)s::timestamptz
                          WHERE d.league_id = k.league_id AND d.season_id = k.season_id) f
      WHERE k.status <> 'SKIPPED' AND k.deactivated_at IS NULL
      GROUP BY k.league_id) s
WHERE s.due_since < %(now)s::timestamptz - make_interval(secs => %(stale_hours)s::double precision * 3600)
  AND coalesce(s.last_fetched_at, '-infinity') < %(now)s::timestamptz - make_interval(secs => %(stale_hours)s::double precision * 3600);
