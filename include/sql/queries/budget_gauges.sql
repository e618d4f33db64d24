-- What is left of each budget of a connection right now (all connections when it is null).
SELECT connection, entity, call_limit, remaining, resets_at, blocked_until, circuit, circuit_until,
       taken_total, refused_total, rate_limited_total, updated_at
  FROM etl.api_budget_now
 WHERE %(connection)s::text IS NULL OR connection = %(connection)s
 ORDER BY connection, entity;
