-- Settings of one transaction, because a pooler in transaction mode gives the session to another client afterwards;
-- and the two settings of a session that poolers keep for each client.

-- name: session/read_only
-- This transaction cannot write. Must be its first statement.
SET TRANSACTION READ ONLY;

-- name: session/read_write
-- This transaction may write, whatever the default of the database is. Must be its first statement.
SET TRANSACTION READ WRITE;

-- name: session/statement_timeout
-- Statements of this transaction that take longer are cancelled.
SELECT set_config('statement_timeout', %(milliseconds)s::text, true);

-- name: session/commit_without_flush
-- This transaction's commit does not wait for the disk; a power cut may lose it.
SELECT set_config('synchronous_commit', 'off', true);

-- name: session/iso_dates
-- Dates are written as the driver reads them, whatever the role or the database prefers.
SET DateStyle TO ISO;

-- name: session/utc
-- Times are written in UTC, whatever the role or the database prefers.
SET TimeZone TO 'UTC';
