-- Raw routes: why listings of the run may be short, each with its place, the first few; NULL = none, or written before there
-- was this column.
ALTER TABLE etl.route_progress ADD COLUMN IF NOT EXISTS doubts text[];

-- The time between an end and the start that followed it, when a run or a season of it was cleared. It is no part of how long
-- they took, which speeds, estimates and alerts are made from.
ALTER TABLE etl.etl_executions ADD COLUMN IF NOT EXISTS idle_seconds numeric(12, 3) NOT NULL DEFAULT 0;
ALTER TABLE etl.etl_executions DROP CONSTRAINT IF EXISTS etl_executions_idle_not_negative;
ALTER TABLE etl.etl_executions ADD CONSTRAINT etl_executions_idle_not_negative CHECK (idle_seconds >= 0);
ALTER TABLE etl.execution_chunks ADD COLUMN IF NOT EXISTS idle_seconds numeric(12, 3) NOT NULL DEFAULT 0;
ALTER TABLE etl.execution_chunks DROP CONSTRAINT IF EXISTS execution_chunks_idle_not_negative;
ALTER TABLE etl.execution_chunks ADD CONSTRAINT execution_chunks_idle_not_negative CHECK (idle_seconds >= 0);
