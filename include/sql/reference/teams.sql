-- Teams as the provider lists them; rows that did not change are not touched. Counts inserted and updated.
WITH written AS (
    INSERT INTO football.teams AS t (id, country_id, venue_id, name, short_code, type, gender, founded, placeholder, image_path, created_at,
        updated_at)
    SELECT DISTINCT ON (etl.to_bigint(r ->> 'id'))
           etl.to_bigint(r ->> 'id'), etl.to_bigint(r ->> 'country_id'), etl.to_bigint(r ->> 'venue_id'),
           r ->> 'name', r ->> 'short_code', r ->> 'type', r ->> 'gender', etl.to_int(r ->> 'founded'),
           etl.to_bool(r ->> 'placeholder'), r ->> 'image_path', %(now)s, %(now)s
    FROM jsonb_array_elements(%(rows)s) AS r
    WHERE etl.to_bigint(r ->> 'id') IS NOT NULL
    ORDER BY etl.to_bigint(r ->> 'id')
    ON CONFLICT (id) DO UPDATE
        SET country_id = excluded.country_id, venue_id = excluded.venue_id, name = excluded.name,
            short_code = excluded.short_code, type = excluded.type, gender = excluded.gender,
            founded = excluded.founded, placeholder = excluded.placeholder, image_path = excluded.image_path,
            updated_at = excluded.updated_at
        WHERE (t.country_id, t.venue_id, t.name, t.short_code, t.type, t.gender, t.founded, t.placeholder,
               t.image_path)
              IS DISTINCT FROM
              (excluded.country_id, excluded.venue_id, excluded.name, excluded.short_code, excluded.type,
               excluded.gender, excluded.founded, excluded.placeholder, excluded.image_path)
    RETURNING (xmax = 0) AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
