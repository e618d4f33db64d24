-- The changed fixtures of one batch of which something is stored, or whose rows the client has not read.
-- One per transaction; a pooler in transaction mode is fine with it.
-- EXTERNAL: payloads are read several times, and unpacking them each time would cost more than the space.
CREATE TEMP TABLE incoming (
    fixture_id   bigint PRIMARY KEY,
    payload      jsonb  NOT NULL,      -- as the provider sent it
    cleaned      jsonb,                -- set when a typed column could not take a value as sent
    content_hash bytea  NOT NULL,
    includes     text[]  NOT NULL,     -- what the payload holds
    collected_at timestamptz NOT NULL,
    sections     text[],               -- those of which the payload says something; NULL = the server reads the rows
    -- Lists of the payload, set by load/json/sections.
    participants jsonb,
    scores       jsonb,
    events       jsonb,
    statistics   jsonb,
    periods      jsonb,
    lineups      integer               -- how many: the list itself is nine tenths of the payload and stays there
) ON COMMIT DROP;
ALTER TABLE incoming ALTER COLUMN payload SET STORAGE EXTERNAL, ALTER COLUMN cleaned SET STORAGE EXTERNAL,
    ALTER COLUMN events SET STORAGE EXTERNAL, ALTER COLUMN statistics SET STORAGE EXTERNAL;
-- Their rows, filled by COPY where the client has read them, else by load/json. Without the constraints of their tables: a
-- column that somebody has added there may be one that is never null and gets its value when a row is inserted.
CREATE TEMP TABLE incoming_participants ON COMMIT DROP AS TABLE football.fixture_participants WITH NO DATA;
CREATE TEMP TABLE incoming_scores ON COMMIT DROP AS TABLE football.fixture_scores WITH NO DATA;
CREATE TEMP TABLE incoming_events ON COMMIT DROP AS TABLE football.fixture_events WITH NO DATA;
CREATE TEMP TABLE incoming_lineups ON COMMIT DROP AS TABLE football.fixture_lineups WITH NO DATA;
CREATE TEMP TABLE incoming_player_statistics ON COMMIT DROP AS TABLE football.fixture_player_statistics WITH NO DATA;
CREATE TEMP TABLE incoming_player_figures ON COMMIT DROP AS TABLE football.fixture_player_figures WITH NO DATA;
CREATE TEMP TABLE incoming_statistics ON COMMIT DROP AS TABLE football.fixture_statistics WITH NO DATA;
CREATE TEMP TABLE incoming_periods ON COMMIT DROP AS TABLE football.fixture_periods WITH NO DATA;
