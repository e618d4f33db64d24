-- Types as the provider lists them; rows that did not change are not touched. Counts inserted and updated.
WITH written AS (
    INSERT INTO football.types AS t (id, name, code, developer_name, model_type, stat_group, created_at, updated_at)
    SELECT DISTINCT ON (etl.to_bigint(r ->> 'id'))
           etl.to_bigint(r ->> 'id'), r ->> 'name', r ->> 'code', r ->> 'developer_name', r ->> 'model_type',
           r ->> 'stat_group', %(now)s, %(now)s
    FROM jsonb_array_elements(%(rows)s) AS r
    WHERE etl.to_bigint(r ->> 'id') IS NOT NULL
    ORDER BY etl.to_bigint(r ->> 'id')
    ON CONFLICT (id) DO UPDATE
        SET name = excluded.name, code = excluded.code, developer_name = excluded.developer_name,
            model_type = excluded.model_type, stat_group = excluded.stat_group, updated_at = excluded.updated_at
        WHERE (t.name, t.code, t.developer_name, t.model_type, t.stat_group)
              IS DISTINCT FROM
              (excluded.name, excluded.code, excluded.developer_name, excluded.model_type, excluded.stat_group)
    RETURNING (xmax = 0) AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted) FROM written
