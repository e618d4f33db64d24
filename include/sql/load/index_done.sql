-- A complete index has been read: fixtures that it no longer lists are noted (never deleted), the chunk is stamped.
WITH gone AS (
    UPDATE football.fixtures
    SET index_missing_at = %(now)s, next_due_at = %(now)s, due_reason = 'gone_from_index'
    WHERE league_id = %(league_id)s AND season_id = %(season_id)s AND NOT (id = ANY (%(ids)s))
      AND index_missing_at IS NULL AND deleted_at IS NULL
    RETURNING id
), stamped AS (
    INSERT INTO etl.chunks AS c (league_id, season_id, league_name, season_name, indexed_at, total_fixtures)
    VALUES (%(league_id)s, %(season_id)s, %(league_name)s, %(season_name)s, %(now)s, cardinality(%(ids)s::bigint[]))
    ON CONFLICT (league_id, season_id) DO UPDATE
        SET league_name = excluded.league_name, season_name = excluded.season_name, indexed_at = excluded.indexed_at,
            total_fixtures = excluded.total_fixtures
)
SELECT count(*) FROM gone
