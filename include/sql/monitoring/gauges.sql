-- The figures of all followed leagues and of all budgets for Airflow's own metrics: name, value, tags. A name says what it is
-- of, because StatsD knows no tags; the tags say the same to those that do.
WITH due AS (
    SELECT league_id, count(*) AS due FROM football.fixture_schedule WHERE next_due_at <= clock_timestamp() GROUP BY league_id
), league AS (
    SELECT k.league_id, max(k.league_name) AS name, sum(k.total_fixtures) AS total, sum(k.collected_fixtures) AS collected,
           sum(k.failed_fixtures) AS failed, coalesce(max(d.due), 0) AS due
    FROM etl.chunks k
    LEFT JOIN due d USING (league_id)
    WHERE k.deactivated_at IS NULL
    GROUP BY k.league_id
)
SELECT g.name || '.' || l.league_id AS name, g.value, jsonb_build_object('league_id', l.league_id, 'league', l.name) AS tags
FROM league l
CROSS JOIN LATERAL (VALUES ('due_fixtures', l.due), ('failed_fixtures', l.failed),
                           ('coverage', round(100.0 * l.collected / nullif(l.total, 0), 1))) g (name, value)
WHERE g.value IS NOT NULL
UNION ALL
SELECT 'calls_left.' || regexp_replace(connection || '.' || entity, '[^A-Za-z0-9_.-]', '_', 'g'), remaining,
       jsonb_build_object('connection', connection, 'entity', entity)
FROM etl.api_budget_now
WHERE remaining IS NOT NULL
UNION ALL
SELECT 'open_alerts', count(*), '{}'
FROM etl.etl_alerts
WHERE status <> 'RESOLVED';
