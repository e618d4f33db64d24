-- Seasons as the provider lists them; rows that did not change are not touched. Counts inserted and updated.
WITH written AS (
    INSERT INTO football.seasons AS t (id, league_id, name, is_current, finished, pending, starting_at, ending_at, created_at, updated_at)
    SELECT DISTINCT ON (etl.to_bigint(r ->> 'id'))
           etl.to_bigint(r ->> 'id'), etl.to_bigint(r ->> 'league_id'), r ->> 'name',
           coalesce(etl.to_bool(r ->> 'is_current'), false), etl.to_bool(r ->> 'finished'),
           etl.to_bool(r ->> 'pending'), (etl.to_utc(r ->> 'starting_at') AT TIME ZONE 'UTC')::date,
           (etl.to_utc(r ->> 'ending_at') AT TIME ZONE 'UTC')::date, %(now)s, %(now)s
    FROM jsonb_array_elements(%(rows)s) AS r
    WHERE etl.to_bigint(r ->> 'id') IS NOT NULL AND etl.to_bigint(r ->> 'league_id') IS NOT NULL
    ORDER BY etl.to_bigint(r ->> 'id')
    ON CONFLICT (id) DO UPDATE
        SET league_id = excluded.league_id, name = excluded.name, is_current = excluded.is_current,
            finished = excluded.finished, pending = excluded.pending, starting_at = excluded.starting_at,
            ending_at = excluded.ending_at, updated_at = excluded.updated_at
        WHERE (t.league_id, t.name, t.is_current, t.finished, t.pending, t.starting_at, t.ending_at)
              IS DISTINCT FROM
              (excluded.league_id, excluded.name, excluded.is_current, excluded.finished, excluded.pending,
               excluded.starting_at, excluded.ending_at)
    RETURNING (xmax = 0) AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
