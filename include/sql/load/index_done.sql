-- A complete index has been read: fixtures that it no longer lists are noted (never deleted), the chunk is stamped.
-- Many missing at once are more likely a faulty response: they are noted only if the indexes before lacked them as well.
-- The note is later than the last read. A read that lies ahead of this index came from a clock that is ahead: it is taken
-- for a read of now, and a note made before it, which it seemed to answer, is made again.
WITH known AS (
    SELECT id, NOT (id = ANY (%(ids)s)) AS is_gone, last_fetched_at,
           index_missing_at IS NULL OR last_fetched_at > %(now)s AS is_news
    FROM football.fixtures
    WHERE league_id = %(league_id)s AND season_id = %(season_id)s AND deleted_at IS NULL
    ORDER BY id
    FOR UPDATE
), assessed AS (
    SELECT count(*) FILTER (WHERE is_gone AND is_news) AS gone,
           count(*) FILTER (WHERE is_gone AND is_news) > greatest(%(few)s, count(*) * %(share)s::float8)
           AND coalesce((SELECT doubtful_indexes FROM etl.chunks
                         WHERE league_id = %(league_id)s AND season_id = %(season_id)s), 0) < %(believed_after)s AS doubtful
    FROM known
), noted AS (
    UPDATE football.fixtures f
    SET last_fetched_at = CASE WHEN f.last_fetched_at > %(now)s THEN %(now)s ELSE f.last_fetched_at END,
        index_missing_at = CASE WHEN k.last_fetched_at >= %(now)s THEN %(now)s + interval '1 microsecond' ELSE %(now)s END,
        -- One that was missing, failed or held back before keeps its delay.
        next_due_at = CASE WHEN f.missing_reads + f.failed_reads + f.held_reads > 0 THEN f.next_due_at ELSE %(now)s END,
        due_reason = CASE WHEN f.missing_reads + f.failed_reads + f.held_reads > 0 THEN f.due_reason ELSE 'gone_from_index' END
    FROM known k, assessed a
    WHERE f.id = k.id AND k.is_gone AND k.is_news AND NOT a.doubtful
    RETURNING f.id
), stamped AS (
    INSERT INTO etl.chunks AS c (league_id, season_id, league_name, season_name, indexed_at, total_fixtures, doubtful_indexes)
    SELECT %(league_id)s, %(season_id)s, %(league_name)s, %(season_name)s, %(now)s, cardinality(%(ids)s::bigint[]),
           doubtful::integer
    FROM assessed
    ON CONFLICT (league_id, season_id) DO UPDATE
        SET league_name = excluded.league_name, season_name = excluded.season_name, indexed_at = excluded.indexed_at,
            total_fixtures = CASE WHEN excluded.doubtful_indexes = 0 THEN excluded.total_fixtures ELSE c.total_fixtures END,
            doubtful_indexes = CASE WHEN excluded.doubtful_indexes = 0 THEN 0 ELSE c.doubtful_indexes + 1 END
)
SELECT (SELECT count(*) FROM noted), CASE WHEN doubtful THEN gone ELSE 0 END FROM assessed
