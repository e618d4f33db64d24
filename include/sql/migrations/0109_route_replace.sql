-- Raw routes: typed columns of the view of the newest records, and full refreshes that mark what has vanished.
ALTER TABLE etl.raw_routes ADD COLUMN IF NOT EXISTS typed_columns jsonb;   -- [{"name", "path", "type"}]; NULL = none
ALTER TABLE etl.raw_routes ADD COLUMN IF NOT EXISTS replaces boolean NOT NULL DEFAULT false;   -- its table has deleted_at

-- The keys of the records that a full refresh under way has brought. Emptied when it ends.
CREATE TABLE IF NOT EXISTS etl.route_seen (
    route_name text NOT NULL,
    plan_hash  text NOT NULL,
    record_key text NOT NULL,
    PRIMARY KEY (route_name, plan_hash, record_key)
);
