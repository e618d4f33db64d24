-- Comments of the schema raw; those of raw routes' tables are written by etl.comment_raw_table.

-- Only the schema's owner may comment on it; it may have been made by another account.
DO $$
BEGIN
    IF pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = 'raw'), 'USAGE') THEN
        COMMENT ON SCHEMA raw IS 'Answers as they came: the newest payload of every fixture, and one table per raw route.';
    END IF;
END $$;

COMMENT ON TABLE raw.fixtures IS 'The newest payload of every fixture, as the API sent it.';
COMMENT ON COLUMN raw.fixtures.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN raw.fixtures.payload IS 'The fixture with its includes, as JSON.';
COMMENT ON COLUMN raw.fixtures.content_hash IS
    'Hash of the content, without the order of rows and fields that change for no reason.';
COMMENT ON COLUMN raw.fixtures.includes IS 'Includes that the payload holds.';
COMMENT ON COLUMN raw.fixtures.reference_date IS 'Day of the kick-off, UTC.';
COMMENT ON COLUMN raw.fixtures.collected_at IS 'When this content was read first.';
COMMENT ON COLUMN raw.fixtures.created_at IS 'When the row was created.';
COMMENT ON COLUMN raw.fixtures.updated_at IS 'When the row was changed last.';

-- Tables of raw routes that belong to another account keep what they have.
DO $$
BEGIN
    PERFORM etl.comment_raw_table(r.table_name)
    FROM etl.raw_routes r JOIN pg_class c ON c.oid = to_regclass(format('raw.%I', r.table_name))
    WHERE pg_has_role(c.relowner, 'USAGE');
END $$;
