-- Which migrations a database has seen.

-- name: schema/lock
-- Only one process migrates at a time; the others queue up behind it until its transaction ends.
SELECT pg_advisory_xact_lock(%(key)s);

-- name: schema/prepare
-- The list of migrations, created before the first of them.
CREATE SCHEMA IF NOT EXISTS etl;
CREATE TABLE IF NOT EXISTS etl.schema_migrations (
    name       text        PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: schema/applied
-- Which migrations has this database seen?
SELECT name FROM etl.schema_migrations;

-- name: schema/record
-- A migration has been applied.
INSERT INTO etl.schema_migrations (name) VALUES (%(name)s);
