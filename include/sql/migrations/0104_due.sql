-- What the index told of a fixture when it last made it due: the same again does not make it due again at once.
ALTER TABLE football.fixtures ADD COLUMN IF NOT EXISTS index_listed bigint;
-- A fixture outside its season's index, and the one in the index that has its teams and its day: the provider has created
-- the match anew under another id. Left out of results and coverage as long as it is so.
ALTER TABLE football.fixtures ADD COLUMN IF NOT EXISTS replaced_by bigint;
