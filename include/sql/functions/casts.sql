-- Casts that never fail: one odd field of the provider must not cost a fixture.
--
-- A load calls them hundreds of thousands of times. Those in SQL have their operators bound when they are created
-- (RETURN), whatever the search path of a caller is: SET search_path, as all other functions have it, would keep
-- PostgreSQL from inlining them and triple the time of each call.

-- Numbers as the provider sends them: integers have been seen as "" and as strings. Anything else becomes NULL,
-- because one odd field must not cost a fixture.
CREATE OR REPLACE FUNCTION etl.to_bigint(p_text text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_text ~ '^-?[0-9]{1,18}$' THEN p_text::bigint END;

CREATE OR REPLACE FUNCTION etl.to_int(p_text text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_text ~ '^-?[0-9]{1,9}$' THEN p_text::integer END;

CREATE OR REPLACE FUNCTION etl.to_bool(p_text text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_text IN ('true', 't', '1') THEN true WHEN p_text IN ('false', 'f', '0') THEN false END;

CREATE OR REPLACE FUNCTION etl.to_numeric(p_text text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_text ~ '^-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?$' THEN p_text::numeric
            WHEN p_text = 'true' THEN 1 WHEN p_text = 'false' THEN 0 END;

-- Seconds since 1970 (UTC), up to the year 9999. Greater numbers, such as milliseconds, and negative ones become NULL.
CREATE OR REPLACE FUNCTION etl.from_epoch(p_seconds bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_seconds BETWEEN 0 AND 253402300799 THEN to_timestamp(p_seconds) END;

-- "YYYY-MM-DD HH:MM:SS", which is UTC, or ISO 8601 with or without an offset, to the second: the rule of as_utc in
-- coerce.py. 24:00 is the midnight at the end of the day, second 60 the next minute. A text that looks right and is none
-- (month 13), and a time outside the years 1 to 9999, become NULL.
CREATE OR REPLACE FUNCTION etl.to_utc(p_text text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_part   text[] := regexp_match(p_text,
        '^\s*([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ Tt]([01][0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]|60)(?:[.,][0-9]+)?)?\s?([Zz]|[-+](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?)?)?\s*$');
    v_offset text := replace(v_part[5], ':', '');
    v_time   timestamp;
BEGIN
    v_time := (v_part[1] || ' ' || coalesce(v_part[2], '00') || ':' || coalesce(v_part[3], '00') || ':' || coalesce(v_part[4], '00'))::timestamp;
    IF v_offset ~ '^[-+]' THEN
        v_time := v_time - (left(v_offset, 1) || substr(v_offset, 2, 2) || ':' || coalesce(nullif(substr(v_offset, 4), ''), '00'))::interval;
    END IF;
    RETURN CASE WHEN v_time >= '0001-01-01'::timestamp AND v_time < '10000-01-01'::timestamp THEN v_time AT TIME ZONE 'UTC' END;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
    RETURN NULL;
END $$;
