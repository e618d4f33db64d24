-- The budget of API calls.

-- What is left now, for people, quotes and gauges: figures of a window that is over, and times of a
-- clock that has been set back since, are shown as unknown; so are those of an API without a limit, for which raw routes
-- assume a billion calls.
CREATE OR REPLACE VIEW etl.api_budget_now AS
SELECT b.connection,
       b.entity,
       CASE WHEN NOT t.unlimited THEN b.call_limit END                          AS call_limit,
       CASE WHEN NOT t.unlimited AND t.resets_at + interval '1 second' > t.now THEN b.remaining END AS remaining,
       CASE WHEN t.resets_at + interval '1 second' > t.now THEN b.resets_at END AS resets_at,
       CASE WHEN t.blocked_until > t.now THEN b.blocked_until END               AS blocked_until,
       coalesce(c.state, 'CLOSED')                                              AS circuit,
       c.open_until                                                             AS circuit_until,
       b.estimated,
       b.taken_total,
       b.refused_total,
       b.rate_limited_total,
       b.updated_at
  FROM etl.api_budget b
 CROSS JOIN LATERAL (SELECT n.now, etl.credible_time(b.resets_at, b.resets_within, n.now) AS resets_at,
                            etl.credible_time(b.blocked_until, b.blocked_within, n.now) AS blocked_until,
                            b.estimated AND coalesce(b.call_limit >= 1000000000, false) AS unlimited
                       FROM (SELECT clock_timestamp() AS now) n) t
  LEFT JOIN etl.api_circuit c USING (connection)
 WHERE b.answers_as IS NULL;
