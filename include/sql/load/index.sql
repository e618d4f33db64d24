-- Base rows of a season's index: new fixtures, and those whose kick-off or state moved (they are due at once).
WITH sent AS (
    SELECT DISTINCT ON (r.id) r.id, coalesce(r.league_id, %(league_id)s) AS league_id,
           coalesce(r.season_id, %(season_id)s) AS season_id, r.stage_id, r.round_id, r.group_id, r.aggregate_id, r.venue_id,
           r.state_id, r.name, etl.to_utc(r.starting_at) AS starting_at
    FROM jsonb_to_recordset(%(rows)s) AS r(
        id bigint, league_id bigint, season_id bigint, stage_id bigint, round_id bigint, group_id bigint, aggregate_id bigint,
        venue_id bigint, state_id bigint, name text, starting_at text)
    ORDER BY r.id
), news AS (
    SELECT s.*
    FROM sent s
    LEFT JOIN football.fixtures f ON f.id = s.id
    WHERE f.id IS NULL
       OR (f.deleted_at IS NULL
           AND (coalesce(s.state_id, f.state_id) IS DISTINCT FROM f.state_id
                OR coalesce(s.starting_at, f.starting_at) IS DISTINCT FROM f.starting_at
                OR s.season_id IS DISTINCT FROM f.season_id
                OR f.index_missing_at IS NOT NULL))
       -- A tombstone comes back when it is listed as anything but deleted.
       OR (f.deleted_at IS NOT NULL AND s.state_id IS DISTINCT FROM 20)
), recorded AS (
    INSERT INTO etl.fixture_changes (changed_at, fixture_id, league_id, season_id, section, field, before, after, hours_after)
    SELECT %(now)s, f.id, f.league_id, f.season_id, 'fixture', 'deleted', 'true', 'false',
           round(extract(epoch FROM %(now)s::timestamptz - f.ended_at) / 3600, 2)
    FROM news JOIN football.fixtures f USING (id)
    WHERE f.deleted_at IS NOT NULL
), written AS (
    INSERT INTO football.fixtures AS f (
        id, league_id, season_id, stage_id, round_id, group_id, aggregate_id, venue_id, state_id, name, starting_at,
        next_due_at, due_reason, created_at, updated_at)
    SELECT id, league_id, season_id, stage_id, round_id, group_id, aggregate_id, venue_id, state_id, name, starting_at,
           %(now)s, 'never_collected', %(now)s, %(now)s
    FROM news
    ORDER BY id
    ON CONFLICT (id) DO UPDATE
        SET collection_status = CASE WHEN f.collection_status = 'DELETED' THEN 'PENDING' ELSE f.collection_status END,
            deleted_at = NULL, index_missing_at = NULL,
            -- Later than the last read, whatever the clocks of the workers say.
            index_changed_at = CASE WHEN f.last_fetched_at IS NULL THEN NULL
                                    ELSE greatest(%(now)s, greatest(f.last_fetched_at, f.last_requested_at) + interval '1 microsecond') END,
            next_due_at = %(now)s,
            due_reason = CASE WHEN f.last_fetched_at IS NULL THEN f.due_reason ELSE 'changed_in_index' END,
            -- Not collected yet: the index is all there is. Collected: the payload decides, so that what is stored
            -- of a match always belongs together; only a tombstone that has come back must not look deleted.
            league_id = CASE WHEN f.last_fetched_at IS NULL THEN excluded.league_id ELSE f.league_id END,
            season_id = CASE WHEN f.last_fetched_at IS NULL THEN excluded.season_id ELSE f.season_id END,
            state_id = CASE WHEN f.last_fetched_at IS NULL OR f.deleted_at IS NOT NULL THEN excluded.state_id
                            ELSE f.state_id END,
            starting_at = CASE WHEN f.last_fetched_at IS NULL THEN excluded.starting_at ELSE f.starting_at END,
            updated_at = CASE WHEN f.last_fetched_at IS NULL OR f.deleted_at IS NOT NULL THEN %(now)s ELSE f.updated_at END
        WHERE f.index_changed_at IS NULL OR f.index_missing_at IS NOT NULL OR f.deleted_at IS NOT NULL
           OR f.last_fetched_at IS NULL
    RETURNING (xmax = 0) AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted), (SELECT count(*) FROM sent)
FROM written
