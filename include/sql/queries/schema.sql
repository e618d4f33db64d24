-- Which migrations and which definitions of functions and views a database has.

-- name: schema/lock
-- Only one process migrates at a time; the others queue up behind it until its transaction ends.
SELECT pg_advisory_xact_lock(%(key)s);

-- name: schema/search_path
-- Within this transaction only PostgreSQL's own operators and functions are found without their schema: what is created
-- binds to them, whatever others have put into public.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

-- name: schema/prepare
-- The lists of migrations and definitions, created before the first of them.
CREATE SCHEMA IF NOT EXISTS etl;
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

-- name: schema/record_definition
-- A definition has been applied.
INSERT INTO etl.applied_definitions (name, sha256) VALUES (%(name)s, %(sha256)s)
ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, applied_at = clock_timestamp();
