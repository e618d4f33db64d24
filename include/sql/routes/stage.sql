-- One batch on its way into a raw table.
CREATE TEMPORARY TABLE route_batch (
    position integer, reference_date date, request jsonb, payload jsonb, content_hash bytea
) ON COMMIT DROP
