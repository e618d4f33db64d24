-- What is known of every fixture of a league, for the ladder.
SELECT f.season_id, f.id, f.state_id, f.starting_at, f.ended_at, f.collection_status, f.last_fetched_at, f.last_requested_at,
       f.unchanged_reads, f.held_reads, f.missing_reads, f.failed_reads, f.index_changed_at, f.index_missing_at,
       coalesce(NOT f.read_includes @> %(includes)s::text[], false)
FROM football.fixtures f
WHERE f.league_id = %(league_id)s AND (%(seasons)s::bigint[] IS NULL OR f.season_id = ANY (%(seasons)s::bigint[]))
