-- Questions of the commands that look into the warehouse.

-- name: look/season
-- To which league does this season belong?
SELECT league_id FROM etl.chunks WHERE season_id = %(season_id)s ORDER BY deactivated_at NULLS FIRST LIMIT 1;

-- name: look/leagues
-- Every league that the warehouse has seasons of, with its name.
SELECT league_id, max(league_name) AS name FROM etl.chunks GROUP BY league_id ORDER BY name, league_id;

-- name: look/last_log
-- The id of the newest log line.
SELECT coalesce(max(log_id), 0) AS log_id FROM etl.etl_logs;

-- name: look/league_logs
-- The newest log lines of a league: of the last executions of its DAG, each of which has an index of its lines.
WITH dags AS (
    SELECT DISTINCT e.dag_id
    FROM etl.execution_chunks AS c JOIN etl.etl_executions AS e USING (execution_id)
    WHERE c.league_id = %(league_id)s
), runs AS (
    SELECT execution_id FROM etl.etl_executions WHERE dag_id IN (SELECT dag_id FROM dags)
    ORDER BY started_at DESC LIMIT 200
)
SELECT l.log_id, l.timestamp, l.level, l.component, l.message, l.details, l.execution_id, l.chunk_id, l.fixture_id,
       l.duration_ms
FROM runs CROSS JOIN LATERAL (
    SELECT * FROM etl.etl_logs AS n
    WHERE n.execution_id = runs.execution_id
      AND (%(execution_id)s::text IS NULL OR n.execution_id = %(execution_id)s)
      AND (%(levels)s::text[] IS NULL OR n.level = ANY(%(levels)s))
      AND (%(component)s::text IS NULL OR n.component = %(component)s)
      AND (%(text)s::text IS NULL OR strpos(lower(n.message), lower(%(text)s)) > 0)
    ORDER BY n.log_id DESC LIMIT %(limit)s
) AS l
ORDER BY l.log_id DESC LIMIT %(limit)s;

-- name: look/new_logs
-- Log lines that came after a line, oldest first.
SELECT l.log_id, l.timestamp, l.level, l.component, l.message, l.details, l.execution_id, l.chunk_id, l.fixture_id,
       l.duration_ms
FROM etl.etl_logs AS l
WHERE l.log_id > %(after)s
  AND (%(execution_id)s::text IS NULL OR l.execution_id = %(execution_id)s)
  AND (%(execution_ids)s::text[] IS NULL OR l.execution_id = ANY(%(execution_ids)s))
  AND (%(chunk_id)s::text IS NULL OR l.chunk_id = %(chunk_id)s)
  AND (%(levels)s::text[] IS NULL OR l.level = ANY(%(levels)s))
  AND (%(component)s::text IS NULL OR l.component = %(component)s)
  AND (%(text)s::text IS NULL OR strpos(lower(l.message), lower(%(text)s)) > 0)
  AND (%(league_id)s::bigint IS NULL OR split_part(l.chunk_id, '_', 1) = %(league_id)s::text
       OR EXISTS (SELECT 1 FROM etl.etl_executions AS e JOIN etl.etl_executions AS o ON o.dag_id = e.dag_id
                  JOIN etl.execution_chunks AS c ON c.execution_id = o.execution_id
                  WHERE e.execution_id = l.execution_id AND c.league_id = %(league_id)s))
ORDER BY l.log_id
LIMIT 5000;

-- name: look/relations
-- Tables and views that can be exported, and whether each has a column that names the season or the fixture.
SELECT n.nspname AS schema, c.relname AS name,
       EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'season_id'
               AND NOT a.attisdropped) AS has_season,
       EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'fixture_id'
               AND NOT a.attisdropped) AS has_fixture
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s::text[]) AND c.relkind IN ('r', 'v', 'm', 'p')
ORDER BY n.nspname, c.relname;

-- name: look/columns
-- The columns of a table or view in their order, with the number of their type and its modifier.
SELECT a.attname AS name, (CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END)::int AS type,
       a.atttypmod AS modifier
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass(format('%%I.%%I', %(schema)s::text, %(name)s::text)) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: look/sample_season
-- The season with the most collected matches that are over: its table is worth a look.
SELECT k.season_id FROM etl.chunks AS k WHERE k.collected_fixtures > 0
ORDER BY k.settled_fixtures DESC, k.collected_fixtures DESC, k.season_id DESC LIMIT 1;

-- name: look/sample_rows
-- The first rows of a season's table.
SELECT position, team, played, points FROM football.standings WHERE season_id = %(season_id)s ORDER BY position LIMIT 5;

-- name: look/league_dag
-- The DAG of a league: that of its newest run.
SELECT e.dag_id
FROM etl.execution_chunks AS c JOIN etl.etl_executions AS e USING (execution_id)
WHERE c.league_id = %(league_id)s
ORDER BY e.started_at DESC LIMIT 1;
