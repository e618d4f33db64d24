-- The changed fixtures of one batch. One per transaction; a pooler in transaction mode is fine with it.
-- EXTERNAL: every section is read out of the payload once, and unpacking it each time would cost more than the space.
CREATE TEMP TABLE incoming (
    fixture_id   bigint PRIMARY KEY,
    payload      jsonb  NOT NULL,      -- as the provider sent it
    cleaned      jsonb,                -- set when a typed column could not take a value as sent
    content_hash bytea  NOT NULL,
    known        boolean NOT NULL,     -- collected before: rows may have to go
    includes     text[]  NOT NULL,     -- what the payload holds
    collected_at timestamptz NOT NULL
) ON COMMIT DROP;
ALTER TABLE incoming ALTER COLUMN payload SET STORAGE EXTERNAL;
