-- The changed fixtures of one batch. One per transaction; a pooler in transaction mode is fine with it.
-- EXTERNAL: payloads are read several times, and unpacking them each time would cost more than the space.
CREATE TEMP TABLE incoming (
    fixture_id   bigint PRIMARY KEY,
    payload      jsonb  NOT NULL,      -- as the provider sent it
    cleaned      jsonb,                -- set when a typed column could not take a value as sent
    content_hash bytea  NOT NULL,
    known        boolean NOT NULL,     -- collected before: rows may have to go
    includes     text[]  NOT NULL,     -- what the payload holds
    collected_at timestamptz NOT NULL,
    unreadable   text[]  NOT NULL,     -- sections that came as something else than a list
    -- Lists of the payload, set by load/sections; NULL = it says nothing of them.
    participants jsonb,
    scores       jsonb,
    events       jsonb,
    statistics   jsonb,
    periods      jsonb,
    lineups      integer               -- how many: the list itself is nine tenths of the payload and stays there
) ON COMMIT DROP;
ALTER TABLE incoming ALTER COLUMN payload SET STORAGE EXTERNAL, ALTER COLUMN cleaned SET STORAGE EXTERNAL,
    ALTER COLUMN events SET STORAGE EXTERNAL, ALTER COLUMN statistics SET STORAGE EXTERNAL;
