-- Answers on their way into the tables, what they were asked with, and doubts about season indexes.

-- A fetched answer is kept here before the next call is begun, and goes in the transaction that stores its data.
-- So a kill at any moment costs the one call that was under way, and no answer is ever stored twice.
CREATE TABLE IF NOT EXISTS etl.fetched_answers (
    answer_id    text        PRIMARY KEY,
    execution_id text        NOT NULL,
    league_id    bigint      NOT NULL,
    season_id    bigint      NOT NULL,
    fetched_at   timestamptz NOT NULL,
    packed       bytea       NOT NULL
);
-- Packed already: the server need not try it again.
ALTER TABLE etl.fetched_answers ALTER COLUMN packed SET STORAGE EXTERNAL;
-- A collector that begins looks for what its predecessor left.
CREATE INDEX IF NOT EXISTS idx_fetched_answers_chunk ON etl.fetched_answers (league_id, season_id, fetched_at);

-- Indexes in a row that lacked so many known fixtures that they were not believed.
ALTER TABLE etl.chunks ADD COLUMN IF NOT EXISTS doubtful_indexes integer NOT NULL DEFAULT 0;

-- What the last reading asked for. The payload may hold more: sections that an answer was not asked for (or that the
-- plan refuses by now) stay as they were read last, and raw.fixtures.includes tells all that stand in it.
ALTER TABLE football.fixtures ADD COLUMN IF NOT EXISTS read_includes text[];
