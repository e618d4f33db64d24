-- Leagues as the provider lists them; rows that did not change are not touched. Counts inserted and updated.
WITH written AS (
    INSERT INTO football.leagues AS t (id, country_id, name, short_code, type, sub_type, category, active, image_path, last_played_at, created_at,
        updated_at)
    SELECT DISTINCT ON (etl.to_bigint(r ->> 'id'))
           etl.to_bigint(r ->> 'id'), etl.to_bigint(r ->> 'country_id'), r ->> 'name', r ->> 'short_code',
           r ->> 'type', r ->> 'sub_type', etl.to_int(r ->> 'category'), etl.to_bool(r ->> 'active'),
           r ->> 'image_path', etl.to_utc(r ->> 'last_played_at'), %(now)s, %(now)s
    FROM jsonb_array_elements(%(rows)s) AS r
    WHERE etl.to_bigint(r ->> 'id') IS NOT NULL
    ORDER BY etl.to_bigint(r ->> 'id')
    ON CONFLICT (id) DO UPDATE
        SET country_id = excluded.country_id, name = excluded.name, short_code = excluded.short_code,
            type = excluded.type, sub_type = excluded.sub_type, category = excluded.category,
            active = excluded.active, image_path = excluded.image_path, last_played_at = excluded.last_played_at,
            updated_at = excluded.updated_at
        WHERE (t.country_id, t.name, t.short_code, t.type, t.sub_type, t.category, t.active, t.image_path,
               t.last_played_at)
              IS DISTINCT FROM
              (excluded.country_id, excluded.name, excluded.short_code, excluded.type, excluded.sub_type,
               excluded.category, excluded.active, excluded.image_path, excluded.last_played_at)
    RETURNING (xmax = 0) AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
