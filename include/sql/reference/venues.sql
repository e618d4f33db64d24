-- Venues as the provider lists them; rows that did not change are not touched. Counts inserted and updated.
WITH written AS (
    INSERT INTO football.venues AS t (id, country_id, city_id, name, city_name, address, capacity, surface, latitude, longitude, image_path,
        created_at, updated_at)
    SELECT DISTINCT ON (etl.to_bigint(r ->> 'id'))
           etl.to_bigint(r ->> 'id'), etl.to_bigint(r ->> 'country_id'), etl.to_bigint(r ->> 'city_id'),
           r ->> 'name', r ->> 'city_name', r ->> 'address', etl.to_int(r ->> 'capacity'), r ->> 'surface',
           etl.to_numeric(r ->> 'latitude'), etl.to_numeric(r ->> 'longitude'), r ->> 'image_path', %(now)s,
           %(now)s
    FROM jsonb_array_elements(%(rows)s) AS r
    WHERE etl.to_bigint(r ->> 'id') IS NOT NULL
    ORDER BY etl.to_bigint(r ->> 'id')
    ON CONFLICT (id) DO UPDATE
        SET country_id = excluded.country_id, city_id = excluded.city_id, name = excluded.name,
            city_name = excluded.city_name, address = excluded.address, capacity = excluded.capacity,
            surface = excluded.surface, latitude = excluded.latitude, longitude = excluded.longitude,
            image_path = excluded.image_path, updated_at = excluded.updated_at
        WHERE (t.country_id, t.city_id, t.name, t.city_name, t.address, t.capacity, t.surface, t.latitude,
               t.longitude, t.image_path)
              IS DISTINCT FROM
              (excluded.country_id, excluded.city_id, excluded.name, excluded.city_name, excluded.address,
               excluded.capacity, excluded.surface, excluded.latitude, excluded.longitude, excluded.image_path)
    RETURNING (xmax = 0) AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
