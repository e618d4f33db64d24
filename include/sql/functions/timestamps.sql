-- created_at and updated_at for tables of users.

-- Triggers of etl.add_timestamps: updated_at moves only when another column really changed.
CREATE OR REPLACE FUNCTION etl.touch_updated_at() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.updated_at := OLD.updated_at;
    -- Compares bytes: works for types without an equality operator, such as json.
    IF NEW OPERATOR(pg_catalog.*<>) OLD THEN
        NEW.updated_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;

-- Generated columns are still empty in NEW when this runs: they are left out by name (the arguments).
CREATE OR REPLACE FUNCTION etl.touch_updated_at_generated() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.updated_at := OLD.updated_at;
    IF (to_jsonb(NEW) - TG_ARGV) IS DISTINCT FROM (to_jsonb(OLD) - TG_ARGV) THEN
        NEW.updated_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;

-- Adds created_at and updated_at to a table and keeps updated_at true. Repeat it after adding a generated column.
-- Rows that are there get the time of this call. Example: SELECT etl.add_timestamps('public.my_table');
CREATE OR REPLACE FUNCTION etl.add_timestamps(p_table regclass) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_column    text;
    v_type      text;
    v_generated text;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = p_table) NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is not a table: created_at and updated_at need one. Name the table behind it.', p_table;
    END IF;
    FOREACH v_column IN ARRAY ARRAY['created_at', 'updated_at'] LOOP
        SELECT format_type(atttypid, NULL) INTO v_type FROM pg_attribute
         WHERE attrelid = p_table AND attname = v_column AND NOT attisdropped;
        IF NOT FOUND THEN
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I timestamptz NOT NULL DEFAULT now()', p_table, v_column);
        ELSIF v_type NOT LIKE 'timestamp%' THEN
            RAISE EXCEPTION 'Column % of % is of type %. Rename it; a timestamp is needed.', v_column, p_table, v_type;
        ELSE
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT now()', p_table, v_column);
            EXECUTE format('UPDATE %s SET %2$I = now() WHERE %2$I IS NULL', p_table, v_column);
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', p_table, v_column);
        END IF;
    END LOOP;
    SELECT string_agg(quote_literal(attname), ', ') INTO v_generated FROM pg_attribute
     WHERE attrelid = p_table AND attgenerated <> '' AND NOT attisdropped;
    EXECUTE format('DROP TRIGGER IF EXISTS etl_touch_updated_at ON %s', p_table);
    EXECUTE format('CREATE TRIGGER etl_touch_updated_at BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s(%s)', p_table,
                   CASE WHEN v_generated IS NULL THEN 'etl.touch_updated_at' ELSE 'etl.touch_updated_at_generated' END,
                   coalesce(v_generated, ''));
END $$;
