-- Whose data a warehouse holds.

-- Claims this warehouse for an API; returns the API that it belongs to now. A warehouse without football data can be
-- claimed by any, one that was filled before this was recorded by the first.
CREATE OR REPLACE FUNCTION etl.claim_api_source(p_source text, p_now timestamptz DEFAULT clock_timestamp())
RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_source text;
BEGIN
    SELECT source INTO v_source FROM etl.api_source;
    IF v_source = p_source THEN
        RETURN v_source;    -- nearly always; nothing is written, and nothing is locked
    END IF;
    INSERT INTO etl.api_source AS s (source, adopted_at) VALUES (p_source, p_now)
    ON CONFLICT (only_row) DO UPDATE SET source = excluded.source, adopted_at = excluded.adopted_at
        WHERE s.source <> excluded.source
          AND NOT EXISTS (SELECT 1 FROM football.fixtures) AND NOT EXISTS (SELECT 1 FROM football.leagues);
    SELECT source INTO v_source FROM etl.api_source;
    RETURN v_source;
END $$;

-- Says that this warehouse belongs to another address from now on: the same data behind a proxy, say.
CREATE OR REPLACE FUNCTION etl.set_api_source(p_source text, p_now timestamptz DEFAULT clock_timestamp())
RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO etl.api_source (source, adopted_at) VALUES (p_source, p_now)
    ON CONFLICT (only_row) DO UPDATE SET source = excluded.source, adopted_at = excluded.adopted_at
$$;
