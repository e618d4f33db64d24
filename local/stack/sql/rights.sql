-- May this account create our schemas, or create in those that exist? Parameter: names of the schemas.
SELECT bool_and(CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                     ELSE has_schema_privilege(n.oid, 'CREATE') END)
FROM unnest(%s::text[]) AS wanted(name)
LEFT JOIN pg_namespace AS n ON n.nspname = wanted.name
