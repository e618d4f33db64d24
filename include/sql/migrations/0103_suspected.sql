-- What an accident of the provider could have produced is suspected: since when, why, and how often it came again.

-- The newest suspected index that was counted in doubtful_indexes; answers shortly after it count as one with it.
ALTER TABLE etl.chunks ADD COLUMN IF NOT EXISTS index_suspected_at timestamptz;
UPDATE etl.chunks SET index_suspected_at = coalesce(indexed_at, updated_at)
WHERE doubtful_indexes > 0 AND index_suspected_at IS NULL;
ALTER TABLE etl.chunks DROP CONSTRAINT IF EXISTS chunks_suspected_index_has_time;
ALTER TABLE etl.chunks ADD CONSTRAINT chunks_suspected_index_has_time
    CHECK ((doubtful_indexes > 0) = (index_suspected_at IS NOT NULL));

-- Seasons without any fixture were believed at the first answer until now: they are read again.
UPDATE etl.chunks c SET indexed_at = NULL
WHERE c.indexed_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM football.fixtures f WHERE f.league_id = c.league_id AND f.season_id = c.season_id);

-- Sections that the stored payload should have rows in and has none, for people ("participants, scores"), and since when.
ALTER TABLE football.fixtures ADD COLUMN IF NOT EXISTS suspected_sections text;
ALTER TABLE football.fixtures ADD COLUMN IF NOT EXISTS suspected_at timestamptz;
ALTER TABLE football.fixtures DROP CONSTRAINT IF EXISTS fixtures_suspected_sections_have_time;
ALTER TABLE football.fixtures ADD CONSTRAINT fixtures_suspected_sections_have_time
    CHECK ((suspected_sections IS NULL) = (suspected_at IS NULL));
-- Few fixtures are suspected; the page and the alerts count them at every look.
CREATE INDEX IF NOT EXISTS idx_fixtures_suspected ON football.fixtures (league_id, season_id)
    WHERE held_reads > 0 OR suspected_at IS NOT NULL;

-- A refusal counts for all runs once it was confirmed: refused again by a later execution than the one that met it first.
ALTER TABLE etl.forbidden_includes ADD COLUMN IF NOT EXISTS confirmed boolean NOT NULL DEFAULT true;
ALTER TABLE etl.forbidden_includes ADD COLUMN IF NOT EXISTS execution_id text;

-- Empty answers in a row for a year or season; it counts as fetched once they have been believed.
CREATE TABLE IF NOT EXISTS etl.collector_empty_periods (
    collector_name text        NOT NULL,
    period         text        NOT NULL,
    answers        integer     NOT NULL DEFAULT 1,
    answered_at    timestamptz NOT NULL,
    CONSTRAINT collector_empty_periods_pkey PRIMARY KEY (collector_name, period),
    CONSTRAINT collector_empty_periods_answers_positive CHECK (answers > 0)
);
