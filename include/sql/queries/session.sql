-- Settings of a session where no pooler stands between, else of one transaction, because a pooler in transaction mode
-- gives the session to another client afterwards.

-- name: session/pin
-- Settings that change values, their meaning or the end of a wait: the same in every session of the package. Answers
-- whether libpq's process is the server's own (no pooler), the database's encoding, and the seconds a statement may take.
-- Every name has its schema here: until this has run, the path is that of the role or of the database.
WITH pinned AS MATERIALIZED (
    SELECT pg_catalog.count(pg_catalog.set_config(name, value, false)) AS settings
      FROM (VALUES
          -- Nothing that another account creates can take the place of a function or an operator.
          ('search_path', 'pg_catalog, pg_temp'),
          -- Text of dates, times and numbers, in both directions.
          ('DateStyle', 'ISO, MDY'), ('TimeZone', 'UTC'), ('IntervalStyle', 'postgres'), ('extra_float_digits', '1'),
          ('standard_conforming_strings', 'on'), ('array_nulls', 'on'), ('transform_null_equals', 'off'),
          ('default_transaction_isolation', 'read committed'), ('default_transaction_deferrable', 'off'),
          -- A hung statement, a lock that nobody releases, a client that was cut off within its transaction.
          ('statement_timeout', '300s'), ('lock_timeout', '60s'), ('idle_in_transaction_session_timeout', '300s'),
          -- Sessions are kept while a task waits for calls, and a transaction ends with its last statement.
          ('idle_session_timeout', '0'), ('transaction_timeout', '0')
      ) AS setting (name, value)
     WHERE pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) %(pid)s
       AND name OPERATOR(pg_catalog.<>) ALL (%(kept)s::pg_catalog.text[])
       AND pg_catalog.current_setting(name, true) IS NOT NULL
)
SELECT pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) %(pid)s, pg_catalog.current_setting('server_encoding'),
       extract(epoch FROM pg_catalog.current_setting('statement_timeout')::pg_catalog.interval)
  FROM pinned;

-- name: session/pin_transaction
-- The same for one transaction, behind a pooler, with what poolers may or may not keep for each client. No SELECT: after
-- one a transaction cannot be made to write where the default of the database is to read.
SET LOCAL client_encoding TO 'UTF8';
SET LOCAL search_path TO pg_catalog, pg_temp;
SET LOCAL DateStyle TO 'ISO, MDY';
SET LOCAL TimeZone TO 'UTC';
SET LOCAL IntervalStyle TO 'postgres';
SET LOCAL extra_float_digits TO 1;
SET LOCAL standard_conforming_strings TO on;
SET LOCAL array_nulls TO on;
SET LOCAL transform_null_equals TO off;
SET LOCAL statement_timeout TO '300s';
SET LOCAL lock_timeout TO '60s';
SET LOCAL idle_in_transaction_session_timeout TO '300s';

-- name: session/no_transaction_timeout
-- A transaction ends with its last statement. The setting came with version 17.
SET LOCAL transaction_timeout TO 0;

-- name: session/set_local
-- A setting of this transaction; the value is written as a name, which PostgreSQL takes for the text.
SET LOCAL {setting} TO {value};

-- name: session/long_statements
-- Statements of this transaction, and their waits for locks, may take up to two hours: migrations.
SELECT set_config('statement_timeout', '7200s', true), set_config('lock_timeout', '7200s', true);

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
