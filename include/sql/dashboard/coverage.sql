-- Every league and season with the share that is collected. What is due is counted now, not when it was last collected;
-- stale where something has been due for too long and nothing was collected in that time. Suspected: fixtures that may
-- lack data by an accident, and an index that is not believed yet.
SELECT k.league_id, k.season_id, k.chunk_id, k.league_name, k.season_name, k.status, k.total_fixtures, k.collected_fixtures,
       k.settled_fixtures, coalesce(d.due, 0) AS due_fixtures, k.failed_fixtures, k.last_collected_at, k.last_execution_id,
       coalesce(u.suspected, 0) AS suspected_fixtures, k.index_suspected_at,
       d.due IS NOT NULL AND greatest(d.since, k.last_collected_at)
           < %(now)s::timestamptz - make_interval(secs => %(stale_hours)s::double precision * 3600) AS stale
FROM etl.chunks k
LEFT JOIN (SELECT league_id, season_id, count(*) AS due, min(due_since) AS since
           FROM football.fixture_schedule WHERE next_due_at <= %(now)s::timestamptz
           GROUP BY league_id, season_id) d USING (league_id, season_id)
LEFT JOIN (SELECT league_id, season_id, count(*) AS suspected FROM football.suspected_fixtures
           GROUP BY league_id, season_id) u USING (league_id, season_id)
WHERE k.deactivated_at IS NULL
ORDER BY k.league_name, k.league_id, k.season_name DESC, k.season_id DESC;
