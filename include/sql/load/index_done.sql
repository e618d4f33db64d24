-- A complete index has been read: fixtures that it no longer lists are noted (never deleted), the chunk is stamped. With
-- skipped rows none is noted: nobody knows which fixtures they are.
-- Many missing at once are more likely a faulty response, and so is an index without any row, or with more rows that were
-- left out (skipped, or foreign: of another season or league) than the last believed one had: it is suspected. It notes
-- nothing and does not count as read, until believed_after suspected ones, at least apart_hours from each other, came
-- before it.
-- The note is later than the last read. A read that lies ahead of this index came from a clock that is ahead: it is taken
-- for a read of now, and a note made before it, which it seemed to answer, is made again.
WITH locked AS MATERIALIZED (
    -- Before any fixture, as everywhere: a batch holds the chunk while it locks its fixtures.
    SELECT 1 FROM etl.chunks WHERE league_id = %(league_id)s AND season_id = %(season_id)s FOR UPDATE
), known AS (
    SELECT id, NOT (id = ANY (%(ids)s)) AS is_gone, last_fetched_at,
           index_missing_at IS NULL OR last_fetched_at > %(now)s AS is_news
    FROM football.fixtures
    WHERE (SELECT count(*) FROM locked) >= 0
      AND league_id = %(league_id)s AND season_id = %(season_id)s AND deleted_at IS NULL
    ORDER BY id
    FOR UPDATE
), chunk AS (
    SELECT doubtful_indexes, indexed_at, index_odd_rows,
           -- A time in the future comes from a clock that has been set back since.
           index_suspected_at BETWEEN %(now)s::timestamptz - make_interval(secs => 3600 * %(apart_hours)s::float8)
               + interval '1 microsecond' AND %(now)s AS is_repeated
    FROM etl.chunks WHERE league_id = %(league_id)s AND season_id = %(season_id)s
), counted AS (
    SELECT count(*) FILTER (WHERE is_gone AND is_news) AS gone, count(*) AS known,
           cardinality(%(ids)s::bigint[]) = 0 AS is_empty, %(skipped)s::integer + %(foreign)s::integer AS odd_rows
    FROM known
), assessed AS (
    SELECT k.gone, k.is_empty, k.odd_rows, coalesce(c.is_repeated, false) AS is_repeated,
           (k.odd_rows > coalesce(c.index_odd_rows, 0) OR k.gone > greatest(%(few)s, k.known * %(share)s::float8)
            OR k.is_empty AND (k.gone > 0 OR k.known = 0 AND c.indexed_at IS NULL))
           AND (coalesce(c.doubtful_indexes, 0) < %(believed_after)s OR c.is_repeated) AS suspected
    FROM counted k LEFT JOIN chunk c ON true
), noted AS (
    UPDATE football.fixtures f
    SET last_fetched_at = CASE WHEN f.last_fetched_at > %(now)s THEN %(now)s ELSE f.last_fetched_at END,
        index_missing_at = CASE WHEN k.last_fetched_at >= %(now)s THEN %(now)s + interval '1 microsecond' ELSE %(now)s END,
        -- One that was missing, failed or held back before keeps its delay.
        next_due_at = CASE WHEN f.missing_reads + f.failed_reads + f.held_reads > 0 THEN f.next_due_at ELSE %(now)s END,
        due_reason = CASE WHEN f.missing_reads + f.failed_reads + f.held_reads > 0 THEN f.due_reason ELSE 'gone_from_index' END
    FROM known k, assessed a
    WHERE f.id = k.id AND k.is_gone AND k.is_news AND NOT a.suspected AND %(skipped)s = 0
    RETURNING f.id
), stamped AS (
    INSERT INTO etl.chunks AS c (
        league_id, season_id, league_name, season_name, indexed_at, total_fixtures, doubtful_indexes, index_suspected_at,
        index_odd_rows)
    SELECT %(league_id)s, %(season_id)s, %(league_name)s, %(season_name)s, CASE WHEN NOT suspected THEN %(now)s END,
           cardinality(%(ids)s::bigint[]), suspected::integer, CASE WHEN suspected THEN %(now)s END,
           CASE WHEN suspected THEN 0 ELSE odd_rows END
    FROM assessed
    ON CONFLICT (league_id, season_id) DO UPDATE
        SET league_name = excluded.league_name, season_name = excluded.season_name,
            indexed_at = coalesce(excluded.indexed_at, c.indexed_at),
            total_fixtures = CASE WHEN excluded.doubtful_indexes = 0 THEN excluded.total_fixtures ELSE c.total_fixtures END,
            doubtful_indexes = CASE WHEN excluded.doubtful_indexes = 0 THEN 0
                                    WHEN (SELECT is_repeated FROM assessed) THEN c.doubtful_indexes
                                    ELSE c.doubtful_indexes + 1 END,
            index_suspected_at = CASE WHEN excluded.doubtful_indexes = 0 THEN NULL
                                      WHEN (SELECT is_repeated FROM assessed) THEN c.index_suspected_at
                                      ELSE excluded.index_suspected_at END,
            index_odd_rows = CASE WHEN excluded.doubtful_indexes = 0 THEN excluded.index_odd_rows ELSE c.index_odd_rows END,
            -- Why it could not be read before.
            error_message = CASE WHEN c.indexed_at IS NOT NULL THEN c.error_message END
)
SELECT (SELECT count(*) FROM noted), CASE WHEN suspected THEN gone ELSE 0 END, suspected FROM assessed
