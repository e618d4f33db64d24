-- The collector's bookkeeping for every fixture of the batch, changed or not; updated_at stays.
UPDATE football.fixtures f
SET collection_status = v.status,
    ended_at          = v.ended_at,
    first_fetched_at  = CASE WHEN v.returned THEN coalesce(f.first_fetched_at, %(now)s) ELSE f.first_fetched_at END,
    last_fetched_at   = CASE WHEN v.returned THEN %(now)s ELSE f.last_fetched_at END,
    last_requested_at     = %(now)s,
    read_includes     = CASE WHEN v.returned THEN %(includes)s::text[] ELSE f.read_includes END,
    last_changed_at   = CASE WHEN v.changed THEN %(now)s ELSE f.last_changed_at END,
    unchanged_reads   = v.unchanged_reads,
    held_reads        = v.held_reads,
    held_hash         = v.held_hash,
    missing_reads     = v.missing_reads,
    failed_reads      = v.failed_reads,
    last_error        = v.error,
    -- What the index told after the call was begun is news still.
    index_changed_at  = CASE WHEN NOT v.returned OR f.index_changed_at > %(now)s THEN f.index_changed_at END,
    deleted_at        = CASE WHEN v.status = 'DELETED' THEN coalesce(f.deleted_at, %(now)s) END,
    next_due_at       = v.next_due_at,
    due_reason        = v.due_reason
FROM jsonb_to_recordset(%(verdicts)s) AS v(
        fixture_id bigint, status text, returned boolean, changed boolean, ended_at timestamptz, unchanged_reads integer,
        held_reads integer, held_hash bytea, missing_reads integer, failed_reads integer, error text,
        next_due_at timestamptz, due_reason text)
WHERE f.id = v.fixture_id
