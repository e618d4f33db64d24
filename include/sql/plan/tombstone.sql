-- The provider lists these as deleted: marked and kept, never read again.
WITH marked AS (
    UPDATE football.fixtures f
    SET collection_status = 'DELETED', state_id = 20, deleted_at = %(now)s, next_due_at = NULL, due_reason = NULL,
        missing_reads = 0, last_error = NULL, updated_at = %(now)s
    WHERE f.id = ANY (%(ids)s) AND f.deleted_at IS NULL
    RETURNING f.id, f.league_id, f.season_id, f.ended_at
), recorded AS (
    INSERT INTO etl.fixture_changes (
        changed_at, fixture_id, league_id, season_id, section, field, before, after, hours_after, execution_id)
    SELECT %(now)s, id, league_id, season_id, 'fixture', 'deleted', 'false', 'true',
           round(extract(epoch FROM %(now)s::timestamptz - ended_at) / 3600, 2), %(execution_id)s
    FROM marked
)
SELECT count(*) FROM marked
