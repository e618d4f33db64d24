-- Which API a warehouse was filled from, so that the data of two APIs never meet in one database.
CREATE TABLE IF NOT EXISTS etl.api_source (
    only_row   boolean     PRIMARY KEY DEFAULT true,
    source     text        NOT NULL,                    -- host[:port]/path of the API, or 'sandbox'; never a key
    adopted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT api_source_one_row CHECK (only_row),
    CONSTRAINT api_source_not_blank CHECK (source <> '')
);
