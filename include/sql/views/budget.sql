-- The budget of API calls.

-- What is left now, for people, quotes and gauges: figures of a window that is over are shown as unknown.
CREATE OR REPLACE VIEW etl.api_budget_now AS
SELECT b.connection,
       b.entity,
       b.call_limit,
       CASE WHEN b.resets_at + interval '1 second' > clock_timestamp() THEN b.remaining END AS remaining,
       CASE WHEN b.resets_at + interval '1 second' > clock_timestamp() THEN b.resets_at END AS resets_at,
       CASE WHEN b.blocked_until > clock_timestamp() THEN b.blocked_until END               AS blocked_until,
       coalesce(c.state, 'CLOSED')                                                          AS circuit,
       c.open_until                                                                         AS circuit_until,
       b.estimated,
       b.taken_total,
       b.refused_total,
       b.rate_limited_total,
       b.updated_at
  FROM etl.api_budget b
  LEFT JOIN etl.api_circuit c USING (connection)
 WHERE b.answers_as IS NULL;
