-- Stages as the provider lists them; rows that did not change are not touched. Counts inserted and updated.
WITH written AS (
    INSERT INTO football.stages AS t (id, league_id, season_id, type_id, name, sort_order, finished, is_current, starting_at, ending_at,
        created_at, updated_at)
    SELECT DISTINCT ON (etl.to_bigint(r ->> 'id'))
           etl.to_bigint(r ->> 'id'), etl.to_bigint(r ->> 'league_id'), etl.to_bigint(r ->> 'season_id'),
           etl.to_bigint(r ->> 'type_id'), r ->> 'name', etl.to_int(r ->> 'sort_order'),
           etl.to_bool(r ->> 'finished'), etl.to_bool(r ->> 'is_current'), (etl.to_utc(r ->> 'starting_at') AT TIME ZONE 'UTC')::date,
           (etl.to_utc(r ->> 'ending_at') AT TIME ZONE 'UTC')::date, %(now)s, %(now)s
    FROM jsonb_array_elements(%(rows)s) AS r
    WHERE etl.to_bigint(r ->> 'id') IS NOT NULL
    ORDER BY etl.to_bigint(r ->> 'id')
    ON CONFLICT (id) DO UPDATE
        SET league_id = excluded.league_id, season_id = excluded.season_id, type_id = excluded.type_id,
            name = excluded.name, sort_order = excluded.sort_order, finished = excluded.finished,
            is_current = excluded.is_current, starting_at = excluded.starting_at, ending_at = excluded.ending_at,
            updated_at = excluded.updated_at
        WHERE (t.league_id, t.season_id, t.type_id, t.name, t.sort_order, t.finished, t.is_current, t.starting_at,
               t.ending_at)
              IS DISTINCT FROM
              (excluded.league_id, excluded.season_id, excluded.type_id, excluded.name, excluded.sort_order,
               excluded.finished, excluded.is_current, excluded.starting_at, excluded.ending_at)
    RETURNING (xmax = 0) AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
