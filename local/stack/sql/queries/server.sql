-- Questions of the local stack to its PostgreSQL server, to the warehouse and to Airflow's database.

-- name: server/rights
-- May this account create our schemas, or create in those that exist?
SELECT bool_and(CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                     ELSE has_schema_privilege(n.oid, 'CREATE') END)
FROM unnest(%(schemas)s::text[]) AS wanted(name)
LEFT JOIN pg_namespace AS n ON n.nspname = wanted.name;

-- name: server/api_source
-- Which API does this warehouse say it was filled from?
SELECT source FROM etl.api_source;

-- name: server/airflow_revision
-- Which revision does Airflow's schema have?
SELECT version_num FROM alembic_version;

-- name: server/airflow_connection
-- A connection that was made in Airflow; the password and the extra are encrypted where the flags say so.
SELECT conn_type, host, schema, login, port, password, extra, is_encrypted, is_extra_encrypted
FROM connection WHERE conn_id = %(conn_id)s;

-- name: server/airflow_dags
-- The DAGs that Airflow knows now, and whether each is paused.
SELECT dag_id, is_paused FROM dag WHERE NOT is_stale ORDER BY dag_id;
