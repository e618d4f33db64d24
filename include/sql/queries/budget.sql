-- The budget of API calls. The rules are in functions: these statements only call them. The books of the caller are
-- kept in the same transaction.

-- name: budget/block
-- The API answered 429: until when may nobody call this bucket?
SELECT etl.block_api(
        p_connection => %(connection)s, p_bucket => %(bucket)s, p_window_no => %(window)s,
        p_retry_after => %(retry_after)s, p_exhausted => %(exhausted)s),
       etl.count_api_call(%(execution_id)s, %(league_id)s, %(season_id)s, %(collector)s,
                          p_failed => 1, p_bytes => %(bytes)s);

-- name: budget/failed
-- A call ended without a usable answer: did that open the circuit, and until when?
SELECT opened, open_until,
       etl.count_api_call(%(execution_id)s, %(league_id)s, %(season_id)s, %(collector)s,
                          p_failed => 1, p_bytes => %(bytes)s)
  FROM etl.api_call_failed(
        p_connection => %(connection)s, p_bucket => %(bucket)s, p_window_no => %(window)s,
        p_threshold => %(threshold)s, p_within_seconds => %(within)s,
        p_open_seconds => %(open_seconds)s, p_cap_seconds => %(cap)s);

-- name: budget/forbidden_known
-- Includes that the plan refused within the last seven days, confirmed by a second run; plans change, so older ones are
-- requested again. Those that no plan covers (version 0.1 stored them, too) are requested again, which says what is wrong
-- with them.
SELECT entity, include
  FROM etl.forbidden_includes
 WHERE connection = %(connection)s AND confirmed
   AND learnt_at BETWEEN clock_timestamp() - interval '7 days' AND clock_timestamp()
   AND coalesce(code, 0) NOT IN (5000, 5001, 5013)
 ORDER BY entity, include;

-- name: budget/forbidden_suspected
-- Includes that the plan refused in one run only, or longer ago.
SELECT entity, include
  FROM etl.forbidden_includes
 WHERE connection = %(connection)s AND NOT (confirmed AND learnt_at BETWEEN clock_timestamp() - interval '7 days' AND clock_timestamp())
   AND coalesce(code, 0) NOT IN (5000, 5001, 5013)
 ORDER BY entity, include;

-- name: budget/forbidden_forget
-- The API takes an include that it had refused.
DELETE FROM etl.forbidden_includes
 WHERE connection = %(connection)s AND entity = %(entity)s AND include = %(include)s;

-- name: budget/forbidden_learn
-- Remember an include that the plan refused. It is confirmed when another execution is refused it after the one that met
-- it first has ended, or an hour later; runs at the same time may have met the same accident.
INSERT INTO etl.forbidden_includes AS f (connection, entity, include, code, message, confirmed, execution_id)
VALUES (%(connection)s, %(entity)s, %(include)s, %(code)s, %(message)s, false, %(execution_id)s)
ON CONFLICT (connection, entity, include)
DO UPDATE SET code = excluded.code, message = excluded.message, confirmed = true, learnt_at = clock_timestamp()
WHERE f.confirmed OR f.learnt_at < clock_timestamp() - interval '1 hour'
   OR (f.execution_id <> excluded.execution_id
       AND EXISTS (SELECT 1 FROM etl.etl_executions e
                   WHERE e.execution_id = f.execution_id AND e.status <> 'RUNNING'));

-- name: budget/gauges
-- What is left of each budget of a connection right now (all connections when it is null).
SELECT connection, entity, call_limit, remaining, resets_at, blocked_until, circuit, circuit_until,
       taken_total, refused_total, rate_limited_total, updated_at
  FROM etl.api_budget_now
 WHERE %(connection)s::text IS NULL OR connection = %(connection)s
 ORDER BY connection, entity;

-- name: budget/settle
-- What the API reported about its rate limit with an answer (also that it is alive).
SELECT etl.settle_api_call(
        p_connection => %(connection)s, p_entity => %(entity)s, p_bucket => %(bucket)s, p_window_no => %(window)s,
        p_remaining => %(remaining)s, p_resets_in => %(resets_in)s, p_limit => %(call_limit)s,
        p_requested_entity => %(requested_entity)s, p_latency => %(latency)s, p_answered => %(answered)s,
        p_default_limit => %(default_limit)s, p_window_seconds => %(window_seconds)s),
       etl.count_api_call(%(execution_id)s, %(league_id)s, %(season_id)s, %(collector)s,
                          p_failed => (NOT %(answered)s::boolean)::integer, p_bytes => %(bytes)s);

-- name: budget/take
-- May one call be made now? Granted or not, seconds to wait, why, from which bucket and window. A call that is granted
-- is in the books of its caller from here on, whatever becomes of it.
WITH taken AS MATERIALIZED (
    SELECT granted, wait_seconds, reason, bucket, window_no
      FROM etl.take_api_call(
            p_connection => %(connection)s, p_entity => %(entity)s, p_urgent => %(urgent)s,
            p_reserve => %(reserve)s, p_default_limit => %(default_limit)s)
)
SELECT granted, wait_seconds, reason, bucket, window_no,
       CASE WHEN granted THEN etl.count_api_call(%(execution_id)s, %(league_id)s, %(season_id)s, %(collector)s,
                                                 p_calls => 1) END
  FROM taken;
