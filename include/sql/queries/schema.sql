-- Which migrations and which definitions of functions and views a database has.

-- name: schema/lock
-- Only one process migrates at a time; the others queue up behind it until its transaction ends.
SELECT pg_advisory_xact_lock(%(key)s);

-- name: schema/search_path
-- Within this transaction only PostgreSQL's own operators and functions are found without their schema: what is created
-- binds to them, whatever others have put into public.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

-- name: schema/has_records
-- Does this database have both lists of what has been applied, with their hashes? Read from the catalogs, because the
-- account may lack the right to use the schema.
SELECT count(*) = 2
  FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid JOIN pg_attribute AS a ON a.attrelid = c.oid
 WHERE n.nspname = 'etl' AND c.relname IN ('schema_migrations', 'applied_definitions')
   AND a.attname = 'sha256' AND NOT a.attisdropped;

-- name: schema/may_write
-- Does the server write, and do transactions that ask for nothing else?
SELECT NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off';

-- name: schema/rights
-- Of each of our schemas: is it missing, and which grants does the account need before tables can be created in it?
SELECT name, n.oid IS NULL,
       array_remove(ARRAY[
           CASE WHEN n.oid IS NULL AND NOT has_database_privilege(current_database(), 'CREATE')
                THEN format('GRANT CREATE ON DATABASE %%I TO %%I', current_database(), current_user) END,
           CASE WHEN NOT (has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE'))
                THEN format('GRANT USAGE, CREATE ON SCHEMA %%I TO %%I', name, current_user) END,
           CASE WHEN NOT has_database_privilege(current_database(), 'TEMPORARY')
                THEN format('GRANT TEMPORARY ON DATABASE %%I TO %%I', current_database(), current_user) END
       ], NULL),
       current_user, current_database()
  FROM unnest(%(schemas)s::text[]) AS name LEFT JOIN pg_namespace AS n ON n.nspname = name
 ORDER BY name;

-- name: schema/lacking
-- What does a run need and the account lack? Tables of other rooms are left to the errors of their statements.
SELECT format('GRANT TEMPORARY ON DATABASE %%I TO %%I', current_database(), current_user)
 WHERE NOT has_database_privilege(current_database(), 'TEMPORARY')
UNION ALL
SELECT format('GRANT USAGE ON SCHEMA %%I TO %%I', nspname, current_user) FROM pg_namespace
 WHERE nspname = ANY (%(schemas)s::text[]) AND NOT has_schema_privilege(oid, 'USAGE')
UNION ALL
SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON %%I.%%I TO %%I', n.nspname, c.relname, current_user)
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND (n.nspname = 'football' OR n.nspname = 'raw' AND c.relname = 'fixtures')
   AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
            AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
UNION ALL
-- Who writes the list of routes' tables makes them, too.
SELECT format('GRANT EXECUTE ON FUNCTION etl.ensure_raw_table(text, text, text[]) TO %%I', current_user)
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'raw_routes'
 WHERE n.nspname = 'etl' AND p.proname = 'ensure_raw_table'
   AND has_table_privilege(c.oid, 'INSERT') AND NOT has_function_privilege(p.oid, 'EXECUTE');

-- name: schema/existing
-- Which of these tables and views are there already?
SELECT name FROM unnest(%(names)s::text[]) AS name WHERE to_regclass(name) IS NOT NULL ORDER BY name;

-- name: schema/create_schema
-- Only for a schema that is missing: PostgreSQL asks for the right to create one even where it exists.
CREATE SCHEMA {schema};

-- name: schema/become_owner
-- Within this transaction the account acts as the role that owns the tables (until there are any: the schema), if it is
-- a member: everything then has one owner, whichever member migrates. The kind of membership that this needs has had a
-- name of its own since version 16.
SELECT set_config('role', pg_get_userbyid(owner), true)
FROM (SELECT coalesce(c.relowner, n.nspowner) AS owner
      FROM pg_namespace AS n LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'schema_migrations'
      WHERE n.nspname = 'etl') AS found
WHERE pg_get_userbyid(owner) <> current_user
  AND pg_has_role(owner, CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END);

-- name: schema/another_owner
-- Do the tables belong to a role whose rights the account does not have? Then its name, and that of the account.
SELECT pg_get_userbyid(c.relowner), current_user::text
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'etl' AND c.relname = 'schema_migrations' AND NOT pg_has_role(c.relowner, 'USAGE');

-- name: schema/prepare
-- The lists of migrations and definitions, created before the first of them. Their schema exists.
CREATE TABLE IF NOT EXISTS etl.schema_migrations (
    name       text        PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE etl.schema_migrations ADD COLUMN IF NOT EXISTS sha256 text;
CREATE TABLE IF NOT EXISTS etl.applied_definitions (
    name       text        PRIMARY KEY,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Which migrations a database has is its owner's to say; roles.sql may have run before there was any.
DO $$
BEGIN
    IF to_regrole('sportmonks_writer') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON etl.schema_migrations, etl.applied_definitions FROM sportmonks_writer;
    END IF;
END $$;

-- name: schema/migrations
-- Which migrations has this database seen, and with which content? The hash is null in rows of version 0.1.
SELECT name, sha256 FROM etl.schema_migrations;

-- name: schema/has_old_tables
-- Does this database hold the tables of version 0.1, whatever its list of migrations says?
SELECT EXISTS (SELECT 1 FROM pg_attribute a
               WHERE a.attrelid = to_regclass('etl.etl_executions') AND a.attname = 'quote'
                 AND NOT a.attisdropped);

-- name: schema/record_migration
-- A migration has been applied, or its hash becomes known.
INSERT INTO etl.schema_migrations (name, sha256) VALUES (%(name)s, %(sha256)s)
ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256;

-- name: schema/definitions
-- Which definitions of functions and views were applied last?
SELECT name, sha256 FROM etl.applied_definitions;

-- name: schema/lost
-- Which of these views and functions, which the definitions have created, are gone? One look into an index for each.
SELECT name FROM unnest(%(names)s::text[]) AS name
 WHERE NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.relname = split_part(name, '.', 2) AND n.nspname = split_part(name, '.', 1))
   AND NOT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                   WHERE p.proname = split_part(name, '.', 2) AND n.nspname = split_part(name, '.', 1))
 ORDER BY name;

-- name: schema/lacks_comments
-- Is there a table, view, column or function in our schemas that says nothing of itself?
WITH ours AS (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = ANY (%(schemas)s::text[]) AND c.relkind IN ('r', 'v'))
SELECT EXISTS (SELECT 1 FROM ours WHERE obj_description(oid, 'pg_class') IS NULL)
    OR EXISTS (SELECT 1 FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped
               WHERE col_description(a.attrelid, a.attnum) IS NULL)
    OR EXISTS (SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
               WHERE n.nspname = ANY (%(schemas)s::text[]) AND obj_description(p.oid, 'pg_proc') IS NULL);

-- name: schema/record_definition
-- A definition has been applied.
INSERT INTO etl.applied_definitions (name, sha256) VALUES (%(name)s, %(sha256)s)
ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, applied_at = clock_timestamp();
