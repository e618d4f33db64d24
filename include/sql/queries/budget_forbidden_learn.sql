-- Remember an include that the plan refused.
INSERT INTO etl.forbidden_includes (connection, entity, include, code, message)
VALUES (%(connection)s, %(entity)s, %(include)s, %(code)s, %(message)s)
ON CONFLICT (connection, entity, include)
DO UPDATE SET code = excluded.code, message = excluded.message, learnt_at = clock_timestamp();
