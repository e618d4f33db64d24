-- Statements of ./etl export.

-- name: export/session
-- The transaction of an export: it reads one snapshot, and as long as that takes.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL statement_timeout = 0;

-- name: export/everything
-- All rows of a table or view.
COPY (SELECT * FROM {table}) TO STDOUT (FORMAT csv, HEADER true);

-- name: export/of_season
-- Those of a season.
COPY (SELECT * FROM {table} WHERE season_id = %(season_id)s) TO STDOUT (FORMAT csv, HEADER true);

-- name: export/season_itself
-- The season itself, in the table of seasons.
COPY (SELECT * FROM {table} WHERE id = %(season_id)s) TO STDOUT (FORMAT csv, HEADER true);

-- name: export/of_fixtures
-- Those that belong to a fixture of a season.
COPY (SELECT * FROM {table} WHERE fixture_id IN (SELECT id FROM football.fixtures WHERE season_id = %(season_id)s))
TO STDOUT (FORMAT csv, HEADER true);
