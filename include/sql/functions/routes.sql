-- Raw routes: their tables, and where a run of a route stands.

-- A name as part of a table's: ASCII letters, digits and single underscores, lower case.
CREATE OR REPLACE FUNCTION etl.raw_name_part(p_text text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
    SELECT btrim(lower(regexp_replace(p_text COLLATE "C", '[^A-Za-z0-9]+', '_', 'g')), '_')
$$;

-- client_<client>_<route>. A longer name is cut and ends in a hash that keeps it unique, so that the names of its
-- indexes still fit into the 63 bytes of PostgreSQL.
CREATE OR REPLACE FUNCTION etl.raw_table_name(p_client text, p_route text) RETURNS text LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_name text := 'client_' || etl.raw_name_part(p_client) || '_' || etl.raw_name_part(p_route);
BEGIN
    IF coalesce(etl.raw_name_part(p_client), '') = '' OR coalesce(etl.raw_name_part(p_route), '') = '' THEN
        RAISE EXCEPTION 'Client % or route % has no letter or digit. Choose names with some.',
            quote_nullable(p_client), quote_nullable(p_route);
    END IF;
    RETURN CASE WHEN length(v_name) <= 46 THEN v_name ELSE left(v_name, 37) || '_' || left(md5(v_name), 8) END;
END $$;

-- The keys of a path: dotted text, or a JSON list where a key has a dot itself.
CREATE OR REPLACE FUNCTION etl.path_parts(p_path text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN p_path LIKE '[%' THEN (SELECT array_agg(e.key ORDER BY e.n)
                                              FROM jsonb_array_elements_text(p_path::jsonb) WITH ORDINALITY AS e(key, n))
                ELSE string_to_array(p_path, '.') END
$$;

-- A value without the keys at the paths of p_paths (lists of keys); a path leads through each element of a list.
CREATE OR REPLACE FUNCTION etl.without_paths(p_value jsonb, p_paths jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_path jsonb;
    v_key  text;
BEGIN
    FOR v_path IN SELECT e FROM jsonb_array_elements(p_paths) e LOOP
        v_key := v_path ->> 0;
        IF jsonb_typeof(p_value) = 'array' THEN
            p_value := (SELECT coalesce(jsonb_agg(etl.without_paths(e, jsonb_build_array(v_path)) ORDER BY n), '[]')
                          FROM jsonb_array_elements(p_value) WITH ORDINALITY AS x(e, n));
        ELSIF jsonb_typeof(p_value) <> 'object' OR NOT p_value ? v_key THEN
            CONTINUE;
        ELSIF jsonb_array_length(v_path) = 1 THEN
            p_value := p_value - v_key;
        ELSE
            p_value := p_value || jsonb_build_object(v_key, etl.without_paths(p_value -> v_key, jsonb_build_array(v_path - 0)));
        END IF;
    END LOOP;
    RETURN p_value;
END $$;

-- A time as APIs write it: ISO 8601, or seconds or milliseconds since 1970; anything else is null.
CREATE OR REPLACE FUNCTION etl.to_time(p_text text) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_text ~ '^[0-9]{9,11}(\.[0-9]{1,9})?$' THEN to_timestamp(p_text::double precision)
            WHEN p_text ~ '^[0-9]{12,14}$' THEN to_timestamp(p_text::double precision / 1000)
            ELSE etl.to_utc(p_text) END;

-- Raises unless this account may change a raw table and its view: only their owner may. Those from before there were
-- roles may belong to the account of the tasks. p_what: what would be changed.
CREATE OR REPLACE FUNCTION etl.require_raw_owner(p_table text, p_what text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_parts text;
BEGIN
    SELECT string_agg(format('ALTER %s raw.%I OWNER TO %I', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.relname,
                             current_user), '; ' ORDER BY c.relname)
      INTO v_parts
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'raw' AND c.relname IN (p_table, p_table || '_latest') AND NOT pg_has_role(c.relowner, 'USAGE');
    IF v_parts IS NOT NULL THEN
        RAISE EXCEPTION 'Table raw.% does not belong to %, so % cannot be changed.', p_table, current_user, p_what
            USING ERRCODE = 'insufficient_privilege', HINT = 'As a superuser, or as its owner and member of '
                || quote_ident(current_user) || ', run: ' || v_parts || ';';
    END IF;
END $$;

-- Drops the view of a raw table's newest records, and the typed one over it, which are made anew behind it; returns the
-- statements that grant again what people had granted on them. Raises when views of other people are built on them.
CREATE OR REPLACE FUNCTION etl.drop_latest_view(p_table text) RETURNS text[] LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_view   text := p_table || '_latest';
    v_typed  text := etl.football_view_of(p_table);
    v_grants text[];
    v_detail text;
BEGIN
    SELECT array_agg(format('GRANT %s ON %I.%I TO %s', a.privilege_type, n.nspname, c.relname,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END))
      INTO v_grants
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) AS a
     WHERE (n.nspname, c.relname) IN (('raw', v_view), ('football', v_typed)) AND a.grantee <> c.relowner;
    IF etl.is_football_view(p_table) THEN
        EXECUTE format('DROP VIEW football.%I', v_typed);
    END IF;
    EXECUTE format('DROP VIEW IF EXISTS raw.%I', v_view);
    RETURN v_grants;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'View raw.% has to be made anew for the changed route, and others are built on it: %.', v_view,
        replace(v_detail, E'\n', '; ')
        USING HINT = 'Drop those views, let the DAG raw_routes_tables run, then create them again.';
END $$;

-- Writes the comments of a raw route's table, of its view of newest records and of their columns.
CREATE OR REPLACE FUNCTION etl.comment_raw_table(p_table text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_route   etl.raw_routes;
    v_comment record;
BEGIN
    SELECT * INTO STRICT v_route FROM etl.raw_routes WHERE table_name = p_table;
    FOR v_comment IN
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, c.relname AS name, NULL AS attname,
               format(CASE c.relkind WHEN 'v' THEN 'The newest version of every record of the raw route %s/%s.'
                                     ELSE 'Records of the raw route %s/%s as they came, one row per distinct content.' END,
                      v_route.client, v_route.route) AS text
        FROM pg_class c
        WHERE c.relnamespace = 'raw'::regnamespace AND c.relname IN (p_table, p_table || '_latest')
        UNION ALL
        SELECT 'COLUMN', c.relname, a.attname,
               coalesce(known.text, format('From the record: %s (%s).', array_to_string(typed.path, '.'), typed.type),
                        'Column that no route declares.')
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN (VALUES ('id', 'Number of the row.'),
                          ('collected_at', 'When this content was last found to be news.'),
                          ('reference_date', 'Day that the record belongs to, where the route reads by period.'),
                          ('request', 'Parameters of the request that brought the record.'),
                          ('payload', 'The record as the API sent it.'),
                          ('content_hash', 'Hash of the content.'),
                          ('created_at', 'When the row was created.'),
                          ('updated_at', 'When the row was changed last.'),
                          ('record_key', 'Key of the record, from the paths that the route names.'),
                          ('deleted_at', 'Since when a complete reading no longer brings the record.')
                  ) AS known(name, text) ON known.name = a.attname
        LEFT JOIN ROWS FROM (jsonb_to_recordset(v_route.typed_columns) AS (name text, path text[], type text))
                  AS typed(name, path, type) ON typed.name = a.attname
        WHERE c.relnamespace = 'raw'::regnamespace AND c.relname IN (p_table, p_table || '_latest')
    LOOP
        EXECUTE format('COMMENT ON %s raw.%I', v_comment.kind, v_comment.name)
                || coalesce('.' || quote_ident(v_comment.attname), '') || format(' IS %L', v_comment.text);
    END LOOP;
END $$;

-- The raw table of a route, made or brought up to date; its name without schema. Safe to call at any time, by several
-- at once. It runs as the owner of the schema, whoever calls it: an account that runs the tasks need not create tables
-- itself, and all of them have one owner. p_key: dotted paths into the record (or into the request's own parameters).
--
-- One row per distinct content. record_key is computed by PostgreSQL from the key, so that a changed key counts for old
-- rows too. collected_at is when the content was last found to be news: it moves only when a content comes back after
-- another version of the same record, so the newest version of a record is the one with the greatest (collected_at, id).
-- The view <table>_latest shows it.
CREATE OR REPLACE FUNCTION etl.ensure_raw_table(p_client text, p_route text, p_key text[] DEFAULT NULL)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_name  text := etl.raw_table_name(p_client, p_route);
    v_key   text[] := nullif(p_key, '{}');
    v_owner etl.raw_routes;
    v_known boolean;
    v_parts text;
    v_grants text[];
    v_grant  text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('etl.ensure_raw_table', 0));
    SELECT * INTO v_owner FROM etl.raw_routes WHERE table_name = v_name;
    v_known := FOUND;
    IF v_known AND (v_owner.client, v_owner.route) IS DISTINCT FROM (p_client, p_route) THEN
        RAISE EXCEPTION 'Table raw.% belongs to client % route %; client % route % would share it. Rename one of them.',
            v_name, v_owner.client, v_owner.route, p_client, p_route;
    END IF;
    IF NOT v_known AND to_regclass(format('raw.%I', v_name)) IS NOT NULL THEN
        RAISE EXCEPTION 'There is a table raw.% that no route made. Rename it, or the route %/%.', v_name, p_client, p_route;
    END IF;
    IF v_known AND v_owner.key_paths IS NOT DISTINCT FROM v_key AND to_regclass(format('raw.%I', v_name)) IS NOT NULL THEN
        RETURN v_name;
    END IF;
    PERFORM etl.require_raw_owner(v_name, format('the key of route %s/%s', p_client, p_route));
    EXECUTE format($sql$
        CREATE TABLE IF NOT EXISTS raw.%1$I (
            id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            collected_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
            reference_date date,
            request        jsonb       NOT NULL DEFAULT '{}',
            payload        jsonb       NOT NULL,
            content_hash   bytea       NOT NULL,
            created_at     timestamptz NOT NULL DEFAULT now(),
            updated_at     timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT %2$I UNIQUE (content_hash))
        $sql$, v_name, v_name || '_content_hash');
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON raw.%I (reference_date)', v_name || '_reference_date', v_name);
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON raw.%I (collected_at)', v_name || '_collected_at', v_name);
    BEGIN
        EXECUTE format('ALTER TABLE raw.%I ALTER COLUMN payload SET COMPRESSION lz4', v_name);
    EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
        NULL;   -- this server was built without lz4
    END;
    IF NOT v_known OR v_owner.key_paths IS DISTINCT FROM v_key THEN
        v_grants := etl.drop_latest_view(v_name);
        EXECUTE format('ALTER TABLE raw.%I DROP COLUMN IF EXISTS record_key', v_name);
    END IF;
    IF v_key IS NOT NULL THEN
        -- jsonb_build_array would not be IMMUTABLE; a part that is missing makes the key NULL.
        -- A key with dots of its own, such as @odata.id, may be written like a path.
        SELECT string_agg(format(CASE WHEN cardinality(etl.path_parts(path)) = 1
                                      THEN 'replace(coalesce(payload #>> %1$L, request #>> %1$L), ''|'', ''||'')'
                                      ELSE 'replace(coalesce(payload #>> %1$L, payload ->> %2$L, request #>> %1$L), ''|'', ''||'')'
                                 END, etl.path_parts(path), array_to_string(etl.path_parts(path), '.')), ' || ''|'' || ' ORDER BY n)
          INTO v_parts FROM unnest(v_key) WITH ORDINALITY AS k(path, n);
        EXECUTE format('ALTER TABLE raw.%I ADD COLUMN IF NOT EXISTS record_key text GENERATED ALWAYS AS (%s) STORED',
                       v_name, v_parts);
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON raw.%I (record_key, collected_at DESC, id DESC)',
                       v_name || '_record_key', v_name);
        EXECUTE format('CREATE OR REPLACE VIEW raw.%I AS SELECT DISTINCT ON (record_key) * FROM raw.%I '
                       'WHERE record_key IS NOT NULL ORDER BY record_key, collected_at DESC, id DESC',
                       v_name || '_latest', v_name);
        PERFORM etl.shape_football_view(v_name);
        FOREACH v_grant IN ARRAY coalesce(v_grants, '{}') LOOP
            EXECUTE v_grant;
        END LOOP;
    END IF;
    INSERT INTO etl.raw_routes (table_name, client, route, key_paths) VALUES (v_name, p_client, p_route, v_key)
    ON CONFLICT (table_name) DO UPDATE SET key_paths = excluded.key_paths, typed_columns = NULL, replaces = false,
                                           updated_at = clock_timestamp();
    PERFORM etl.comment_raw_table(v_name);
    -- The caller writes into it, also where accounts have no roles (roles.sql) that are granted this by default.
    IF NOT has_table_privilege(session_user, format('raw.%I', v_name), 'INSERT') THEN
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON raw.%I TO %I', v_name, session_user);
    END IF;
    IF v_key IS NOT NULL AND NOT has_table_privilege(session_user, format('raw.%I', v_name || '_latest'), 'SELECT') THEN
        EXECUTE format('GRANT SELECT ON raw.%I TO %I', v_name || '_latest', session_user);
    END IF;
    RETURN v_name;
END $$;

-- The view of a route's newest records, with typed columns and, where a full refresh marks what has vanished
-- (p_replaces), without deleted records. Called behind etl.ensure_raw_table, with its privilege. p_columns: a list of
-- {"name", "path" (keys), "type"}; a value that does not fit its type is null there, and the payload keeps it.
CREATE OR REPLACE FUNCTION etl.shape_raw_table(p_table text, p_columns jsonb DEFAULT NULL, p_replaces boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_route   etl.raw_routes;
    v_columns text;
    v_view    text;
    v_grants  text[];
    v_grant   text;
BEGIN
    IF NOT has_function_privilege(session_user, 'etl.ensure_raw_table(text, text, text[])', 'EXECUTE') THEN
        RAISE EXCEPTION 'permission denied for function shape_raw_table' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('etl.ensure_raw_table', 0));
    SELECT * INTO v_route FROM etl.raw_routes WHERE table_name = p_table;
    IF NOT FOUND OR (v_route.typed_columns IS NOT DISTINCT FROM p_columns AND v_route.replaces = p_replaces) THEN
        RETURN;
    END IF;
    PERFORM etl.require_raw_owner(p_table, format('columns and mode of route %s/%s', v_route.client, v_route.route));
    IF p_replaces THEN
        EXECUTE format('ALTER TABLE raw.%I ADD COLUMN IF NOT EXISTS deleted_at timestamptz', p_table);
    END IF;
    IF v_route.key_paths IS NOT NULL THEN
        SELECT string_agg(format(', %s AS %I', CASE c.type
                   WHEN 'bigint' THEN format('etl.to_bigint(%s)', c.value)
                   WHEN 'integer' THEN format('etl.to_int(%s)', c.value)
                   WHEN 'numeric' THEN format('etl.to_numeric(%s)', c.value)
                   WHEN 'boolean' THEN format('etl.to_bool(%s)', c.value)
                   WHEN 'timestamptz' THEN format('etl.to_time(%s)', c.value)
                   WHEN 'date' THEN format('(etl.to_time(%s) AT TIME ZONE ''UTC'')::date', c.value)
                   WHEN 'jsonb' THEN format('coalesce(payload #> %L, payload -> %L)', c.path, array_to_string(c.path, '.'))
                   ELSE c.value END, c.name), '')
          INTO v_columns
          FROM (SELECT r.*, format('coalesce(payload #>> %L, payload ->> %L)', r.path, array_to_string(r.path, '.')) AS value
                  FROM ROWS FROM (jsonb_to_recordset(p_columns) AS (name text, path text[], type text)) AS r) c;
        v_view := format('SELECT *%s FROM (SELECT DISTINCT ON (record_key) * FROM raw.%I WHERE record_key IS NOT NULL '
                         'ORDER BY record_key, collected_at DESC, id DESC) newest%s',
                         coalesce(v_columns, ''), p_table, CASE WHEN p_replaces THEN ' WHERE deleted_at IS NULL' ELSE '' END);
        BEGIN
            -- Columns that are added at the end leave the view, and what people built on it, where it is.
            EXECUTE format('CREATE OR REPLACE VIEW raw.%I AS %s', p_table || '_latest', v_view);
        EXCEPTION WHEN invalid_table_definition THEN
            v_grants := etl.drop_latest_view(p_table);
            EXECUTE format('CREATE VIEW raw.%I AS %s', p_table || '_latest', v_view);
            PERFORM etl.shape_football_view(p_table);
            FOREACH v_grant IN ARRAY coalesce(v_grants, '{}') LOOP
                EXECUTE v_grant;
            END LOOP;
        END;
        IF NOT has_table_privilege(session_user, format('raw.%I', p_table || '_latest'), 'SELECT') THEN
            EXECUTE format('GRANT SELECT ON raw.%I TO %I', p_table || '_latest', session_user);
        END IF;
    END IF;
    UPDATE etl.raw_routes SET typed_columns = p_columns, replaces = p_replaces, updated_at = clock_timestamp()
     WHERE table_name = p_table;
    PERFORM etl.comment_raw_table(p_table);
END $$;

-- Those who only read call no function that creates; the writer's role is granted it (roles.sql), and so is every
-- account that may write the list of these tables: it runs the tasks.
REVOKE ALL ON FUNCTION etl.ensure_raw_table(text, text, text[]) FROM PUBLIC;
DO $$
DECLARE
    v_writer name;
BEGIN
    FOR v_writer IN
        SELECT DISTINCT r.rolname FROM pg_class c CROSS JOIN aclexplode(c.relacl) AS a JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.oid = 'etl.raw_routes'::regclass AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION etl.ensure_raw_table(text, text, text[]) TO %I', v_writer);
    END LOOP;
END $$;

-- A try begins: where to start, under which fence. Goes on where an unfinished try over the same plan stands, unless
-- that has not moved for p_resume or p_force asks for a fresh start (which a retry of the forced run itself does not
-- repeat).
CREATE OR REPLACE FUNCTION etl.begin_route_run(
    p_route_name text, p_plan_hash text, p_execution_id text, p_slices integer, p_date_from date DEFAULT NULL,
    p_date_to date DEFAULT NULL, p_force boolean DEFAULT false, p_resume interval DEFAULT '1 day',
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS TABLE (fence bigint, slice_index integer, page_state jsonb, counters jsonb, resumed boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_old    etl.route_progress;
    v_resume boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('etl.route_progress ' || p_route_name, 0));
    DELETE FROM etl.route_progress
     WHERE route_name = p_route_name AND plan_hash <> p_plan_hash AND updated_at < p_now - interval '30 days';
    SELECT * INTO v_old FROM etl.route_progress WHERE route_name = p_route_name AND plan_hash = p_plan_hash FOR UPDATE;
    v_resume := FOUND AND v_old.status <> 'DONE'
        AND (v_old.execution_id IS NOT DISTINCT FROM p_execution_id
             OR (NOT p_force AND coalesce(v_old.advanced_at, v_old.updated_at) > p_now - p_resume));
    IF v_resume THEN
        UPDATE etl.route_progress
           SET status = 'RUNNING', fence = fence + 1, execution_id = p_execution_id, error_message = NULL, updated_at = p_now,
               advanced_at = coalesce(advanced_at, updated_at)
         WHERE route_name = p_route_name AND plan_hash = p_plan_hash;
    ELSE
        INSERT INTO etl.route_progress AS p (route_name, plan_hash, execution_id, date_from, date_to, slices, started_at, updated_at,
                                             advanced_at)
        VALUES (p_route_name, p_plan_hash, p_execution_id, p_date_from, p_date_to, p_slices, p_now, p_now, p_now)
        ON CONFLICT (route_name, plan_hash) DO UPDATE
            SET status = 'RUNNING', fence = p.fence + 1, execution_id = excluded.execution_id, date_from = excluded.date_from,
                date_to = excluded.date_to, slices = excluded.slices, slice_index = 0, page_state = NULL, counters = '{}',
                error_message = NULL, started_at = p_now, updated_at = p_now, advanced_at = p_now, items = NULL,
                doubts = NULL;
    END IF;
    DELETE FROM etl.route_seen WHERE route_name = p_route_name AND (plan_hash <> p_plan_hash OR NOT v_resume);
    PERFORM etl.record_collector_run(p_route_name, p_execution_id, 'running', p_now => p_now);
    RETURN QUERY SELECT fence, slice_index, page_state, counters, v_resume FROM etl.route_progress
                  WHERE route_name = p_route_name AND plan_hash = p_plan_hash;
END $$;

-- After a batch, in its transaction; false = another try has taken over, roll back.
CREATE OR REPLACE FUNCTION etl.advance_route_run(
    p_route_name text, p_plan_hash text, p_fence bigint, p_slice_index integer, p_page_state jsonb, p_counters jsonb,
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE etl.route_progress SET slice_index = p_slice_index, page_state = p_page_state, counters = p_counters, updated_at = p_now,
                                  advanced_at = p_now
     WHERE route_name = p_route_name AND plan_hash = p_plan_hash AND fence = p_fence AND status = 'RUNNING';
    RETURN FOUND;
END $$;

-- A try ends, together with its collector's row; false = another try has taken over.
CREATE OR REPLACE FUNCTION etl.finish_route_run(
    p_route_name text, p_plan_hash text, p_fence bigint, p_status text, p_counters jsonb,
    p_watermark jsonb DEFAULT NULL, p_error_message text DEFAULT NULL, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_execution text;
BEGIN
    UPDATE etl.route_progress
       SET status = p_status, counters = p_counters, error_message = p_error_message, updated_at = p_now,
           slice_index = CASE WHEN p_status = 'DONE' THEN slices ELSE slice_index END,
           page_state = CASE WHEN p_status = 'DONE' THEN NULL ELSE page_state END,
           items = CASE WHEN p_status = 'DONE' THEN NULL ELSE items END
     WHERE route_name = p_route_name AND plan_hash = p_plan_hash AND fence = p_fence AND status = 'RUNNING'
    RETURNING execution_id INTO v_execution;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM etl.record_collector_run(
        p_route_name, v_execution, CASE p_status WHEN 'DONE' THEN 'success' ELSE 'failed' END,
        (p_counters ->> 'records')::bigint, (p_counters ->> 'inserted')::bigint, (p_counters ->> 'revived')::bigint,
        (p_counters ->> 'duplicates')::bigint - (p_counters ->> 'revived')::bigint, (p_counters ->> 'failed')::bigint,
        p_watermark, p_error_message, p_now => p_now);
    RETURN true;
END $$;

-- What a route run left, whatever became of its task: closes the collector's row when nobody did.
CREATE OR REPLACE FUNCTION etl.close_route_run(p_route_name text, p_execution_id text, p_now timestamptz DEFAULT clock_timestamp())
RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_status text;
BEGIN
    UPDATE etl.collector_runs
       SET status = 'failed', completed_at = p_now, updated_at = p_now,
           error_message = coalesce(error_message, 'The task ended before the route was read to its end; clear it to go on.')
     WHERE collector_name = p_route_name AND execution_id = p_execution_id AND status = 'running';
    SELECT status INTO v_status FROM etl.collector_runs
     WHERE collector_name = p_route_name AND execution_id = p_execution_id;
    RETURN v_status;
END $$;
