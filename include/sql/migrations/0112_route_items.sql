-- Raw routes: what the unfinished run of a route has one listing for each of, so that its next try reads the same ones
-- although the table or query that they came from has grown; NULL = none, or they are written in the route's file.
ALTER TABLE etl.route_progress ADD COLUMN IF NOT EXISTS items jsonb;
-- When the position last moved: tries that fail do not make it younger. NULL = written before there was this column.
ALTER TABLE etl.route_progress ADD COLUMN IF NOT EXISTS advanced_at timestamptz;
