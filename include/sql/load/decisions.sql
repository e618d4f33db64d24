-- Stores the decision on every fixture of the batch, changed or not, in the collector's columns; updated_at stays.
UPDATE football.fixtures f
SET collection_status = d.status,
    ended_at          = d.ended_at,
    first_fetched_at  = CASE WHEN d.returned THEN coalesce(f.first_fetched_at, %(now)s) ELSE f.first_fetched_at END,
    last_fetched_at   = CASE WHEN d.returned THEN %(now)s ELSE f.last_fetched_at END,
    last_requested_at = %(now)s,
    read_includes     = CASE WHEN d.returned THEN %(includes)s::text[] ELSE f.read_includes END,
    last_changed_at   = CASE WHEN d.changed THEN %(now)s ELSE f.last_changed_at END,
    unchanged_reads   = d.unchanged_reads,
    held_reads        = d.held_reads,
    held_hash         = d.held_hash,
    missing_reads     = d.missing_reads,
    failed_reads      = d.failed_reads,
    last_error        = d.error,
    -- Null leaves what is noted, an empty text takes it back.
    suspected_sections = CASE WHEN d.suspected IS NULL THEN f.suspected_sections ELSE nullif(d.suspected, '') END,
    suspected_at      = CASE WHEN d.suspected IS NULL THEN f.suspected_at
                             WHEN d.suspected <> '' THEN coalesce(f.suspected_at, %(now)s) END,
    -- What the index reported after the call was begun is still to be read.
    index_changed_at  = CASE WHEN NOT d.returned OR f.index_changed_at > %(now)s THEN f.index_changed_at END,
    deleted_at        = CASE WHEN d.status = 'DELETED' THEN coalesce(f.deleted_at, %(now)s) END,
    next_due_at       = d.next_due_at,
    due_reason        = d.due_reason
FROM jsonb_to_recordset(%(decisions)s) AS d(
        fixture_id bigint, status text, returned boolean, changed boolean, ended_at timestamptz, unchanged_reads integer,
        held_reads integer, held_hash bytea, missing_reads integer, failed_reads integer, error text, suspected text,
        next_due_at timestamptz, due_reason text)
WHERE f.id = d.fixture_id
