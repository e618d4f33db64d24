-- The stored state of a batch's fixtures, locked in one order so that two batches never wait for each other.
SELECT f.id, f.state_id, f.starting_at, f.ended_at, f.collection_status, f.last_fetched_at, f.unchanged_reads, f.held_reads,
       f.held_hash, f.missing_reads, f.failed_reads, r.content_hash,
       r.includes
FROM football.fixtures f
LEFT JOIN raw.fixtures r ON r.fixture_id = f.id
WHERE f.id = ANY (%(ids)s)
ORDER BY f.id
FOR UPDATE OF f
