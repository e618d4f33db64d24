-- Whose data a warehouse holds: etl.api_source.

-- name: source/claim
-- The API that this warehouse belongs to, once this one has asked for it.
SELECT etl.claim_api_source(%(source)s);
