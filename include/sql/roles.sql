-- Roles of least privilege: sportmonks_owner changes the schema, sportmonks_writer runs the tasks, sportmonks_reader
-- reads (analysts, the page).
--
-- Run it in the warehouse's database as a superuser, or as the account that owns the schemas and may create roles:
-- psql --file include/sql/roles.sql, or ./etl roles --apply. It may run before the first migration or after any, and as
-- often as you like. Then give each account one of the roles, for instance:
--     CREATE ROLE etl_tasks LOGIN PASSWORD '…' IN ROLE sportmonks_writer;
-- Migrations run as a member of sportmonks_owner (local/deploy, ./etl up, the DAG sportmonks_catalog); everything else
-- works as sportmonks_writer.
DO $roles$
DECLARE
    v_schemas CONSTANT text[] := '{etl,raw,football}';
    v_before  oid[];    -- who owns the schemas and their tables so far
    v_owner   name;     -- of the tables, or as long as there are none of the schema
    v_item    record;
    v_name    text;
    v_tables  CONSTANT text := $tables$
        etl.api_budget etl.api_circuit etl.api_source etl.applied_definitions etl.check_results etl.chunks
        etl.collector_empty_periods etl.collector_periods etl.collector_runs etl.etl_alerts
        etl.etl_executions etl.etl_logs etl.etl_metrics etl.execution_chunks etl.execution_fixtures
        etl.fetched_answers etl.fixture_changes etl.forbidden_includes etl.metric_buckets etl.raw_routes
        etl.route_progress etl.route_rejects etl.route_seen etl.run_origins etl.schema_migrations
        football.fixture_events
        football.fixture_lineups football.fixture_participants football.fixture_periods
        football.fixture_player_figures football.fixture_player_statistics football.fixture_scores
        football.fixture_statistics football.fixtures football.leagues football.rounds football.seasons football.stages football.states
        football.teams football.types football.venues raw.fixtures
    $tables$;           -- what migrations create
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    FOREACH v_name IN ARRAY ARRAY['sportmonks_owner', 'sportmonks_writer', 'sportmonks_reader'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = v_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_name);
        END IF;
    END LOOP;
    -- Only a member may hand objects over to a role. An account that creates roles is no member of them by itself.
    BEGIN
        SET LOCAL ROLE sportmonks_owner;
        RESET ROLE;
    EXCEPTION WHEN insufficient_privilege THEN
        EXECUTE format('GRANT sportmonks_owner TO %I', current_user);
    END;
    EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO sportmonks_owner', current_database());
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO sportmonks_writer', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO sportmonks_reader', current_database());

    SELECT array_remove(ARRAY[n.nspowner, c.relowner], to_regrole('sportmonks_owner')::oid),
           pg_get_userbyid(coalesce(c.relowner, n.nspowner))
      INTO v_before, v_owner
    FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'schema_migrations'
    WHERE n.nspname = 'etl';
    FOREACH v_name IN ARRAY v_schemas LOOP
        IF to_regnamespace(v_name) IS NULL THEN
            EXECUTE format('CREATE SCHEMA %I AUTHORIZATION sportmonks_owner', v_name);
        ELSIF (SELECT nspowner FROM pg_namespace WHERE nspname = v_name) = ANY (v_before) THEN
            EXECUTE format('ALTER SCHEMA %I OWNER TO sportmonks_owner', v_name);
        END IF;
    END LOOP;
    -- What the package has made; tables that somebody else has put there stay theirs.
    FOR v_item IN
        SELECT format('ALTER TABLE %I.%I OWNER TO sportmonks_owner', n.nspname, c.relname) AS statement
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY (v_schemas) AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relowner = ANY (v_before)
        UNION ALL
        SELECT format('ALTER ROUTINE %I.%I', n.nspname, p.proname)
               || '(' || pg_get_function_identity_arguments(p.oid) || ') OWNER TO sportmonks_owner'
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = ANY (v_schemas) AND p.proowner = ANY (v_before)
    LOOP
        EXECUTE v_item.statement;
    END LOOP;
    -- A table of the package that belongs to a third account would stop the next migration.
    SELECT string_agg('ALTER TABLE ' || c.oid::regclass || ' OWNER TO ' || quote_ident(v_owner), '; ' ORDER BY c.relname)
      INTO v_name
      FROM regexp_split_to_table(btrim(v_tables, E' \n'), '\s+') AS name JOIN pg_class c ON c.oid = to_regclass(name)
     WHERE c.relowner <> to_regrole('sportmonks_owner');
    IF v_name IS NOT NULL THEN
        RAISE EXCEPTION 'Tables of the package belong to several accounts; nothing has been changed.'
            USING HINT = 'As a superuser, run this file again after: ' || v_name;
    END IF;

    SET LOCAL ROLE sportmonks_owner;
    GRANT USAGE ON SCHEMA etl, raw, football TO sportmonks_writer, sportmonks_reader;
    FOR v_item IN
        SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON %1$I.%2$I TO sportmonks_writer; '
                      'GRANT SELECT ON %1$I.%2$I TO sportmonks_reader', n.nspname, c.relname) AS statement
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY (v_schemas) AND c.relkind IN ('r', 'p', 'v', 'm')
          AND c.relowner = to_regrole('sportmonks_owner')
        UNION ALL
        SELECT format('GRANT EXECUTE ON ROUTINE %I.%I', n.nspname, p.proname)
               || '(' || pg_get_function_identity_arguments(p.oid) || ') TO sportmonks_writer'
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = ANY (v_schemas) AND p.proowner = to_regrole('sportmonks_owner')
    LOOP
        EXECUTE v_item.statement;
    END LOOP;
    -- What migrations and raw routes make from now on.
    ALTER DEFAULT PRIVILEGES FOR ROLE sportmonks_owner IN SCHEMA etl, raw, football
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO sportmonks_writer;
    ALTER DEFAULT PRIVILEGES FOR ROLE sportmonks_owner IN SCHEMA etl, raw, football
        GRANT SELECT ON TABLES TO sportmonks_reader;
    ALTER DEFAULT PRIVILEGES FOR ROLE sportmonks_owner IN SCHEMA etl, raw, football
        GRANT EXECUTE ON FUNCTIONS TO sportmonks_writer;
    -- Which migrations a database has is the owner's to say.
    IF to_regclass('etl.schema_migrations') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON etl.schema_migrations FROM sportmonks_writer;
    END IF;
    IF to_regclass('etl.applied_definitions') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON etl.applied_definitions FROM sportmonks_writer;
    END IF;
    RESET ROLE;
END $roles$;
