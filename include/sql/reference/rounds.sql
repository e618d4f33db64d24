-- Rounds as the provider lists them; rows that did not change are not touched. Counts inserted and updated.
WITH written AS (
    INSERT INTO football.rounds AS t (id, league_id, season_id, stage_id, name, finished, is_current, starting_at, ending_at, created_at,
        updated_at)
    SELECT DISTINCT ON (etl.to_bigint(r ->> 'id'))
           etl.to_bigint(r ->> 'id'), etl.to_bigint(r ->> 'league_id'), etl.to_bigint(r ->> 'season_id'),
           etl.to_bigint(r ->> 'stage_id'), r ->> 'name', etl.to_bool(r ->> 'finished'),
           etl.to_bool(r ->> 'is_current'), (etl.to_utc(r ->> 'starting_at') AT TIME ZONE 'UTC')::date,
           (etl.to_utc(r ->> 'ending_at') AT TIME ZONE 'UTC')::date, %(now)s, %(now)s
    FROM jsonb_array_elements(%(rows)s) AS r
    WHERE etl.to_bigint(r ->> 'id') IS NOT NULL
    ORDER BY etl.to_bigint(r ->> 'id')
    ON CONFLICT (id) DO UPDATE
        SET league_id = excluded.league_id, season_id = excluded.season_id, stage_id = excluded.stage_id,
            name = excluded.name, finished = excluded.finished, is_current = excluded.is_current,
            starting_at = excluded.starting_at, ending_at = excluded.ending_at, updated_at = excluded.updated_at
        WHERE (t.league_id, t.season_id, t.stage_id, t.name, t.finished, t.is_current, t.starting_at, t.ending_at)
              IS DISTINCT FROM
              (excluded.league_id, excluded.season_id, excluded.stage_id, excluded.name, excluded.finished,
               excluded.is_current, excluded.starting_at, excluded.ending_at)
    RETURNING (xmax = 0) AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
