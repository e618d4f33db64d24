-- Calls are counted where they are made, on the execution (and the chunk) that makes them, and times that lie further
-- ahead than they did when they were set are recognised as those of a clock that has been set back since.

ALTER TABLE etl.etl_executions
    -- HTTP calls of the run: each is counted when the budget grants it, so a killed task has counted its last one, too.
    ADD COLUMN IF NOT EXISTS api_calls        bigint  NOT NULL DEFAULT 0,
    -- Those without a usable answer: no complete response, an error, a refusal.
    ADD COLUMN IF NOT EXISTS failed_calls     bigint  NOT NULL DEFAULT 0,
    -- Bytes of the responses' bodies, unpacked.
    ADD COLUMN IF NOT EXISTS bytes            bigint  NOT NULL DEFAULT 0,
    -- Fixtures that were requested and not returned.
    ADD COLUMN IF NOT EXISTS missing_fixtures integer NOT NULL DEFAULT 0;

ALTER TABLE etl.execution_chunks
    ADD COLUMN IF NOT EXISTS failed_calls bigint  NOT NULL DEFAULT 0,
    -- The present attempt waits for calls: the next one to take the chunk goes on with it.
    ADD COLUMN IF NOT EXISTS waiting      boolean NOT NULL DEFAULT false;

-- The calls that a collector made itself. Those of a chunk are on its execution.
ALTER TABLE etl.collector_runs
    ADD COLUMN IF NOT EXISTS api_calls    bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS failed_calls bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS bytes        bigint NOT NULL DEFAULT 0;

-- How many seconds the time lay ahead when it was set; null in rows of an older version.
ALTER TABLE etl.api_budget
    ADD COLUMN IF NOT EXISTS resets_within  double precision,
    ADD COLUMN IF NOT EXISTS blocked_within double precision;

-- What older versions counted: the calls of stored batches.
UPDATE etl.etl_executions e
SET api_calls = c.calls, bytes = c.bytes, missing_fixtures = c.missing
FROM (SELECT execution_id, sum(api_calls) AS calls, sum(bytes) AS bytes,
             coalesce(sum(missing) FILTER (WHERE status <> 'SKIPPED'), 0) AS missing
      FROM etl.execution_chunks GROUP BY execution_id) c
WHERE e.execution_id = c.execution_id AND e.api_calls = 0;

-- It returns more columns now; functions/executions.sql creates it again.
DROP FUNCTION IF EXISTS etl.get_etl_execution_summary(text, timestamptz);
