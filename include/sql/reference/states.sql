-- States as the provider lists them; rows that did not change are not touched. Counts inserted and updated.
WITH written AS (
    INSERT INTO football.states AS t (id, state, name, short_name, developer_name, created_at, updated_at)
    SELECT DISTINCT ON (etl.to_bigint(r ->> 'id'))
           etl.to_bigint(r ->> 'id'), r ->> 'state', r ->> 'name', r ->> 'short_name', r ->> 'developer_name',
           %(now)s, %(now)s
    FROM jsonb_array_elements(%(rows)s) AS r
    WHERE etl.to_bigint(r ->> 'id') IS NOT NULL
    ORDER BY etl.to_bigint(r ->> 'id')
    ON CONFLICT (id) DO UPDATE
        SET state = excluded.state, name = excluded.name, short_name = excluded.short_name,
            developer_name = excluded.developer_name, updated_at = excluded.updated_at
        WHERE (t.state, t.name, t.short_name, t.developer_name)
              IS DISTINCT FROM
              (excluded.state, excluded.name, excluded.short_name, excluded.developer_name)
    RETURNING (xmax = 0) AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
