-- What is known of every fixture of a league, for the ladder.
SELECT season_id, id, state_id, starting_at, ended_at, collection_status, last_fetched_at, last_asked_at, unchanged_reads,
       held_reads, missing_reads, failed_reads, index_changed_at, index_missing_at
FROM football.fixtures
WHERE league_id = %(league_id)s AND (%(seasons)s::bigint[] IS NULL OR season_id = ANY (%(seasons)s::bigint[]))
