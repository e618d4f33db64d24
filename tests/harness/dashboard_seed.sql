-- Leagues and seasons: most are complete, one is stale, one has failed, some are half done.
INSERT INTO etl.chunks (league_id, season_id, league_name, season_name, status, total_fixtures, collected_fixtures, settled_fixtures,
                        due_fixtures, failed_fixtures, last_collected_at, indexed_at, created_at, error_message)
SELECT l, l * 1000 + s,
       (ARRAY['Premier League', 'La Liga', 'Serie A', 'Bundesliga', 'Ligue 1', 'Eredivisie', 'Superliga', 'Primeira Liga'])[1 + (l - 1) %% 8]
           || CASE WHEN l > 8 THEN ' ' || ((l - 1) / 8 + 1) ELSE '' END,
       (2026 - s) || '/' || (2027 - s),
       CASE WHEN l = 3 AND s = 1 THEN 'FAILED' WHEN l = 6 AND s > 3 THEN 'PENDING' ELSE 'COMPLETED' END,
       %(fixtures)s,
       CASE WHEN l = 6 AND s > 3 THEN 0 WHEN l = 5 AND s > 2 THEN %(fixtures)s / 2 WHEN s = 1 THEN %(fixtures)s * 7 / 10 ELSE %(fixtures)s END,
       CASE WHEN l IN (5, 6) AND s > 2 THEN 0 WHEN s = 1 THEN %(fixtures)s / 2 ELSE %(fixtures)s END,
       CASE WHEN l = 6 AND s > 3 THEN %(fixtures)s WHEN l = 4 AND s = 1 THEN 6 WHEN s = 1 THEN l %% 3 ELSE 0 END,
       CASE WHEN l = 3 AND s = 1 THEN 3 ELSE 0 END,
       CASE WHEN l = 6 AND s > 3 THEN NULL WHEN l = 4 THEN %(now)s::timestamptz - interval '52 hours'
            ELSE %(now)s::timestamptz - make_interval(mins => l * 7 + s) END,
       %(now)s::timestamptz - make_interval(mins => l * 7), %(now)s::timestamptz - interval '60 days',
       CASE WHEN l = 3 AND s = 1 THEN 'Quality checks failed: goals_add_up: 3 fixtures' END
FROM generate_series(1, %(leagues)s) l, generate_series(1, %(seasons)s) s;

INSERT INTO football.states (id, name) VALUES (1, 'Not Started'), (5, 'Full Time');

INSERT INTO football.fixtures (id, league_id, season_id, state_id, name, starting_at, quality_score, collection_status, last_fetched_at,
                               next_due_at, due_reason, last_error, failed_reads, created_at)
SELECT c.season_id * 10000 + f, c.league_id, c.season_id, CASE WHEN f <= c.collected_fixtures THEN 5 ELSE 1 END,
       format('FC %%s vs. %%s United', chr(65 + f %% 26), chr(65 + (f * 7) %% 26)),
       %(now)s::timestamptz - make_interval(days => 300 - f), CASE WHEN f <= c.collected_fixtures THEN 80 + f %% 21 END,
       CASE WHEN f <= c.failed_fixtures THEN 'FAILED' WHEN f <= c.collected_fixtures THEN 'COLLECTED' ELSE 'PENDING' END,
       CASE WHEN f <= c.collected_fixtures THEN c.last_collected_at END,
       CASE WHEN f > c.total_fixtures - c.due_fixtures THEN %(now)s::timestamptz - interval '50 hours' ELSE %(now)s::timestamptz + interval '90 days' END,
       CASE WHEN f > c.total_fixtures - c.due_fixtures THEN 'never_collected' ELSE 'sweep' END,
       CASE WHEN f <= c.failed_fixtures THEN 'The API answered with a payload that cannot be read.' END, (f <= c.failed_fixtures)::int, c.created_at
FROM etl.chunks c, generate_series(1, c.total_fixtures) f;

-- Runs of every league, one per day backwards; two are running now.
INSERT INTO etl.etl_executions (execution_id, dag_id, run_id, status, started_at, finished_at, heartbeat_at, planned_at, total_fixtures,
                                processed_fixtures, successful_fixtures, failed_fixtures, total_chunks, processed_chunks,
                                duration_seconds, error_message, config, estimate, league_id, run_type, triggered_by)
SELECT 'etl_' || to_char(r.started AT TIME ZONE 'UTC', 'YYYYMMDD_HH24MISS') || '_' || lpad(to_hex(n), 6, '0'),
       'sportmonks_' || replace(lower(c.league_name), ' ', '_'), r.type || '__' || to_char(r.started AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'),
       r.status, r.started, CASE WHEN r.status <> 'RUNNING' THEN r.started + make_interval(secs => r.seconds) END,
       CASE WHEN r.status = 'RUNNING' THEN %(now)s::timestamptz ELSE r.started END, r.started, r.total,
       CASE WHEN r.status = 'RUNNING' THEN r.total * (4 + n * 2) / 10 ELSE r.total END,
       CASE WHEN r.status = 'RUNNING' THEN r.total * (4 + n * 2) / 10 WHEN r.status = 'FAILED' THEN r.total - 3 ELSE r.total END,
       CASE WHEN r.status = 'FAILED' THEN 3 ELSE 0 END, 3, CASE WHEN r.status = 'COMPLETED' THEN 3 ELSE 1 END,
       CASE WHEN r.status <> 'RUNNING' THEN r.seconds END,
       CASE WHEN r.status = 'FAILED' THEN '2025/2026: Quality checks failed: goals_add_up: 3 fixtures' END,
       '{"batch_size": 50, "includes": ["participants", "scores"], "api_token": "never-show-me"}',
       '{"fixtures": 120, "calls": {"Fixture": 3}, "minutes": 1, "by_reason": {"after_1d": 120}, "chunks": [], "available_now": 1240, "left_out": {}}',
       c.league_id, r.type, CASE WHEN r.type = 'manual' THEN 'anna' END
FROM generate_series(0, %(executions)s - 1) n
JOIN etl.chunks c ON c.league_id = 1 + n %% %(leagues)s AND c.season_id = c.league_id * 1000 + 1
CROSS JOIN LATERAL (SELECT CASE WHEN n < 2 THEN 'RUNNING' WHEN n %% 17 = 2 THEN 'FAILED' ELSE 'COMPLETED' END AS status,
                           CASE WHEN n %% 7 = 3 THEN 'manual' ELSE 'scheduled' END AS type,
                           %(now)s::timestamptz - make_interval(mins => 3 + n * 170) AS started, 90 + n %% 240 AS seconds, 60 + (n * 37) %% 300 AS total) r;

INSERT INTO etl.execution_chunks (execution_id, league_id, season_id, position, priority, status, planned, processed, saved, unchanged, failed,
                                  api_calls, bytes, tries, started_at, finished_at, error_message)
SELECT e.execution_id, c.league_id, c.season_id, s, 1000 - s,
       CASE WHEN e.status = 'RUNNING' AND s > 1 THEN CASE s WHEN 2 THEN 'RUNNING' ELSE 'PENDING' END WHEN e.status = 'FAILED' AND s = 1 THEN 'FAILED' ELSE 'COMPLETED' END,
       e.total_fixtures / 3, d.done,
       d.done * 3 / 5, d.done - d.done * 3 / 5 - d.failed, d.failed, (d.done + 49) / 50, d.done * 90000, 1, CASE WHEN e.status = 'RUNNING' AND s = 3 THEN NULL ELSE e.started_at + make_interval(secs => s * 10) END,
       CASE WHEN e.status = 'RUNNING' AND s > 1 THEN NULL ELSE e.started_at + make_interval(secs => s * 10 + 40) END,
       CASE WHEN e.status = 'FAILED' AND s = 1 THEN 'Quality checks failed: goals_add_up: 3 fixtures' END
FROM etl.etl_executions e
JOIN etl.chunks k ON 'sportmonks_' || replace(lower(k.league_name), ' ', '_') = e.dag_id AND k.season_id = k.league_id * 1000 + 1
CROSS JOIN generate_series(1, least(3, %(seasons)s)) s
JOIN etl.chunks c ON c.league_id = k.league_id AND c.season_id = k.league_id * 1000 + s
CROSS JOIN LATERAL (SELECT CASE WHEN e.status <> 'RUNNING' OR s = 1 THEN e.total_fixtures / 3 WHEN s = 2 THEN e.total_fixtures / 9 ELSE 0 END AS done,
                           CASE WHEN e.status = 'FAILED' AND s = 1 THEN 3 ELSE 0 END AS failed) d;

UPDATE etl.chunks c SET last_execution_id = e.execution_id
FROM (SELECT DISTINCT ON (league_id, season_id) * FROM etl.execution_chunks ORDER BY league_id, season_id, started_at DESC NULLS LAST) e
WHERE c.league_id = e.league_id AND c.season_id = e.season_id;

INSERT INTO etl.execution_fixtures (execution_id, league_id, season_id, fixture_id, position, reason, priority, status, done_at)
SELECT e.execution_id, c.league_id, c.season_id, c.season_id * 10000 + f, f,
       (ARRAY['never_collected', 'after_1h', 'after_1d', 'changed_in_index'])[1 + f %% 4], 100, 'SAVED', e.started_at
FROM (SELECT * FROM etl.etl_executions ORDER BY started_at DESC LIMIT 20) e
JOIN etl.execution_chunks c USING (execution_id) CROSS JOIN generate_series(1, least(c.planned, %(fixtures)s)) f;

-- The catalog of the last days, a raw route, and the collectors of the seasons.
INSERT INTO etl.collector_runs (collector_name, status, started_at, completed_at, records_processed, records_inserted, execution_id, api_calls)
SELECT c.name, 'success', r.started + make_interval(secs => c.place * 4), r.started + make_interval(secs => c.place * 4 + 3), c.records,
       CASE WHEN n = 6 THEN c.records ELSE 0 END, 'etl_' || to_char(r.started AT TIME ZONE 'UTC', 'YYYYMMDD_HH24MISS') || '_c00000', c.place
FROM generate_series(0, 6) n
CROSS JOIN (VALUES (1, 'reference:states', 25), (2, 'reference:types', 900), (3, 'leagues', 8), (4, 'seasons', 48),
                   (5, 'structure:rounds', 1800)) AS c(place, name, records)
CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - make_interval(days => n, hours => 5) AS started) r;

INSERT INTO etl.collector_runs (collector_name, status, started_at, completed_at, records_processed, execution_id, api_calls)
SELECT 'raw_sportmonks_players', 'success', r.started, r.started + interval '3 seconds', 5200,
       'etl_' || to_char(r.started AT TIME ZONE 'UTC', 'YYYYMMDD_HH24MISS') || '_' || lpad(to_hex(n + 655360), 6, '0'), 1
FROM generate_series(0, %(route_runs)s - 1) n
CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - make_interval(secs => 18000 + n * 604800.0 / %(route_runs)s) AS started) r;

INSERT INTO etl.collector_runs (collector_name, status, started_at, completed_at, records_processed, execution_id)
SELECT 'chunk:' || league_id || '_' || season_id, CASE status WHEN 'COMPLETED' THEN 'success' ELSE 'failed' END, started_at, finished_at, processed, execution_id
FROM etl.execution_chunks WHERE finished_at IS NOT NULL;

INSERT INTO etl.check_results (execution_id, chunk_id, name, required, success, notes)
SELECT last_execution_id, chunk_id, n.name, true, NOT (league_id = 3 AND season_id = 3001 AND n.name = 'goals_add_up'),
       CASE WHEN league_id = 3 AND season_id = 3001 AND n.name = 'goals_add_up' THEN '3 fixtures whose events do not add up to the score' ELSE '' END
FROM etl.chunks, (VALUES ('goals_add_up'), ('two_participants'), ('lineups_of_both_teams')) AS n(name) WHERE last_execution_id IS NOT NULL;

INSERT INTO etl.etl_logs (timestamp, level, component, message, details, execution_id, chunk_id, fixture_id, duration_ms)
SELECT %(now)s::timestamptz - make_interval(secs => (%(logs)s - g) * 2592000.0 / %(logs)s),
       CASE WHEN g %% 997 = 0 THEN 'CRITICAL' WHEN g %% 211 = 0 THEN 'ERROR' WHEN g %% 41 = 0 THEN 'WARNING' WHEN g %% 5 = 0 THEN 'DEBUG' ELSE 'INFO' END,
       (ARRAY['COLLECT', 'CHUNK', 'LOAD', 'API', 'PLAN', 'DISCOVER'])[1 + g %% 6],
       CASE WHEN g %% 211 = 0 THEN 'GET /fixtures/multi: 503 after 3 tries, the batch is tried again' WHEN g %% 41 = 0 THEN 'Fixture held back: lineups went from 22 rows to 0'
            ELSE 'Batch saved: 50 of 50 fixtures' END,
       jsonb_build_object('batch', g %% 100, 'saved', 50), x.ids[1 + g %% array_length(x.ids, 1)], (1 + g %% %(leagues)s) || '_' || ((1 + g %% %(leagues)s) * 1000 + 1),
       CASE WHEN g %% 41 = 0 THEN 10010000 + g %% 40 END, 200 + g %% 900
FROM generate_series(1, %(logs)s) g, (SELECT array_agg(execution_id) AS ids FROM etl.etl_executions) x;

INSERT INTO etl.etl_metrics (timestamp, execution_id, metric_name, metric_value, metric_unit, tags)
SELECT %(now)s::timestamptz - make_interval(secs => (%(metrics)s - g) * 604800.0 / %(metrics)s), NULL, m.name,
       m.base * (1 + 0.4 * sin(g / (%(metrics)s / 40.0)) + 0.15 * sin(g * 1.7)) * CASE WHEN m.name = 'chunk_failed_fixtures' AND g %% 9 > 0 THEN 0 ELSE 1 END,
       m.unit, CASE WHEN m.name = 'api_budget_remaining' THEN '{"entity": "Fixture"}'::jsonb ELSE '{"chunk_id": "1_1001"}' END
FROM generate_series(1, %(metrics)s) g
JOIN (VALUES (0, 'fixtures_per_second', 90.0, 'fixtures/s'), (1, 'chunk_api_calls', 8, 'calls'), (2, 'chunk_failed_fixtures', 1, 'fixtures'),
             (3, 'api_call.p50', 180, 'ms'), (4, 'api_call.p95', 420, 'ms'), (5, 'api_call.max', 900, 'ms'), (6, 'write_batch.p50', 210, 'ms'),
             (7, 'write_batch.p95', 380, 'ms'), (8, 'api_budget_remaining', 1900, 'calls'), (9, 'chunk_duration', 40, 's')) AS m(i, name, base, unit)
  ON m.i = g %% 10;

INSERT INTO etl.etl_metrics (timestamp, metric_name, metric_value, metric_unit) VALUES (%(now)s, 'alerts_live', 3, 'alerts');

INSERT INTO etl.api_budget (connection, entity, call_limit, remaining, resets_at, taken_total)
VALUES ('sportmonks_api', 'Fixture', 3000, 1240, clock_timestamp() + interval '38 minutes', 48210),
       ('sportmonks_api', 'League', 3000, 2991, clock_timestamp() + interval '12 minutes', 310),
       ('sportmonks_api', 'Season', 3000, 0, clock_timestamp() + interval '21 minutes', 5120);

INSERT INTO etl.etl_alerts (dedupe_key, kind, severity, status, subject, message, hint, details, execution_id, league_id, season_id, opened_at,
                            last_seen_at, seen_count, resolved_at)
SELECT 'QUALITY_CHECKS:3_3001', 'QUALITY_CHECKS', 'CRITICAL', 'OPEN', 'Serie A 2025/2026', 'Quality checks failed: goals_add_up: 3 fixtures',
       'The season''s page lists its fixtures in trouble. Clear the group when the cause is gone; collect the season again with force when rows are wrong.', '{}'::jsonb,
       (SELECT execution_id FROM etl.etl_executions WHERE dag_id = 'sportmonks_serie_a' ORDER BY started_at DESC LIMIT 1), 3, 3001,
       %(now)s::timestamptz - interval '5 hours', %(now)s::timestamptz, 30, NULL::timestamptz
UNION ALL
SELECT 'STALE_LEAGUE:4', 'STALE_LEAGUE', 'CRITICAL', 'OPEN', 'Bundesliga', '6 fixtures are due, the oldest since two days; nothing was collected since.',
       'Is the league''s DAG paused, or its last run failed? Unpause it or trigger it by hand.', '{"dag_id": "sportmonks_bundesliga"}', NULL, 4, NULL,
       %(now)s::timestamptz - interval '14 hours', %(now)s::timestamptz, 84, NULL
UNION ALL
SELECT 'BUDGET_EXHAUSTED:sportmonks_api:Season', 'BUDGET_EXHAUSTED', 'WARNING', 'OPEN', 'API budget of Season', '0 of 3000 calls left.',
       'Nothing has to be done: runs wait and go on.', '{}', NULL, NULL, NULL, %(now)s::timestamptz - interval '20 minutes', %(now)s::timestamptz, 2, NULL
UNION ALL
SELECT 'DURATION:sportmonks_ligue_1', 'DURATION', 'WARNING', 'RESOLVED', 'sportmonks_ligue_1', 'Ran for 74 minutes (limit 60).',
       'See on the page what it waits for.', '{"dag_id": "sportmonks_ligue_1"}', NULL, NULL, NULL, %(now)s::timestamptz - interval '3 days', %(now)s::timestamptz - interval '2 days', 9,
       %(now)s::timestamptz - interval '2 days';

INSERT INTO etl.fixture_changes (changed_at, fixture_id, league_id, season_id, section, field, before, after, hours_after, execution_id)
SELECT %(now)s::timestamptz - make_interval(mins => g * 37), f.id, f.league_id, f.season_id, (ARRAY['events', 'statistics', 'fixture', 'lineups'])[1 + g %% 4],
       CASE g %% 4 WHEN 2 THEN 'result_info' ELSE NULL END,
       CASE g %% 4 WHEN 2 THEN '"FC A won 2-1"'::jsonb ELSE jsonb_build_object('rows', 14) END,
       CASE g %% 4 WHEN 2 THEN '"FC A won 3-1"'::jsonb ELSE jsonb_build_object('rows', 15, 'added', 1) END, g * 1.5,
       (SELECT execution_id FROM etl.etl_executions ORDER BY started_at DESC OFFSET g %% 5 LIMIT 1)
FROM generate_series(1, 80) g JOIN LATERAL (SELECT * FROM football.fixtures ORDER BY id OFFSET (g * 13) %% 200 LIMIT 1) f ON true;
