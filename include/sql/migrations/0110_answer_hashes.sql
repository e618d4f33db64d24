-- By what an answer is recognised that says nothing new: the hash of its bytes, and the hash of its content in an order of
-- its own, which is made only for answers that the first does not recognise. Both are of an answer that was found to have
-- the content which raw.fixtures.content_hash names; NULL before there was one.
ALTER TABLE football.fixtures ADD COLUMN IF NOT EXISTS hash_as_sent bytea;
ALTER TABLE football.fixtures ADD COLUMN IF NOT EXISTS hash_in_order bytea;
