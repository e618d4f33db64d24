-- Newest payload per fixture, with sections of an earlier one that this answer was not asked for.
INSERT INTO raw.fixtures AS r (fixture_id, payload, content_hash, includes, reference_date, collected_at, created_at, updated_at)
SELECT fixture_id, payload, content_hash, includes,
       (etl.to_utc(payload ->> 'starting_at') AT TIME ZONE 'UTC')::date, collected_at, collected_at, collected_at
FROM incoming
ON CONFLICT (fixture_id) DO UPDATE
    SET payload = excluded.payload, content_hash = excluded.content_hash, includes = excluded.includes,
        reference_date = excluded.reference_date, collected_at = excluded.collected_at, updated_at = excluded.collected_at
