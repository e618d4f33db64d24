-- The table of the DAG example_incremental.

-- name: example/has_table
-- Is the table there? An account that only writes may use it then, although it could not create it.
SELECT to_regclass('public.example_goals_by_year') IS NOT NULL;

-- name: example/table
-- Goals per year.
CREATE TABLE IF NOT EXISTS public.example_goals_by_year (year int PRIMARY KEY, goals bigint NOT NULL);

-- name: example/timestamps
-- Gives the table created_at and updated_at.
SELECT etl.add_timestamps('public.example_goals_by_year');

-- name: example/store
-- Counts the goals of one year: was the year new?
INSERT INTO public.example_goals_by_year (year, goals)
SELECT %(year)s, coalesce(sum(home_goals + away_goals), 0) FROM football.fixtures
WHERE extract(year FROM starting_at) = %(year)s
ON CONFLICT (year) DO UPDATE SET goals = excluded.goals
RETURNING (xmax = 0);
