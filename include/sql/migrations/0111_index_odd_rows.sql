-- Rows of a season's index that were left out (without an id, not storable, of another season or league), as many as the
-- last believed index had. They are suspected like an index that lacks fixtures, and not anew once they have been believed.
ALTER TABLE etl.chunks ADD COLUMN IF NOT EXISTS index_odd_rows integer NOT NULL DEFAULT 0;
ALTER TABLE etl.chunks DROP CONSTRAINT IF EXISTS chunks_index_odd_rows_not_negative;
ALTER TABLE etl.chunks ADD CONSTRAINT chunks_index_odd_rows_not_negative CHECK (index_odd_rows >= 0);
