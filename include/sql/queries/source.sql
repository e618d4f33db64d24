-- Whose data a warehouse holds: etl.api_source.

-- name: source/claim
-- Claims the warehouse for an API: which one does it belong to now?
SELECT etl.claim_api_source(%(source)s);
