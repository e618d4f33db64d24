-- Leagues whose present season brings fewer rows per match, or a lower quality score, than the three seasons before it: what
-- no single match shows. Like is compared with like: up to 30 played matches of the stage that is played now against those of
-- the stage of the same name, in sections that were requested for both, and only sections that four in five of the earlier
-- matches had. So early rounds of a cup, friendlies and leagues without statistics are no reason. Matches of the last two
-- days do not count, because some rows come late.
WITH season AS (
    SELECT k.*, t.stage
    FROM (SELECT DISTINCT ON (c.league_id) c.league_id, c.season_id, c.league_name, c.season_name, c.last_execution_id, s.starting_at
          FROM etl.chunks c
          JOIN football.seasons s ON s.id = c.season_id
          WHERE c.deactivated_at IS NULL AND s.starting_at <= (%(now)s::timestamptz AT TIME ZONE 'UTC')::date
          ORDER BY c.league_id, s.starting_at DESC, c.season_id DESC) k
    CROSS JOIN LATERAL (
        SELECT coalesce(g.name, '') AS stage
        FROM football.fixtures f
        LEFT JOIN football.stages g ON g.id = f.stage_id
        WHERE f.season_id = k.season_id AND f.state_id IN (5, 7, 8) AND f.collection_status = 'COLLECTED'
        ORDER BY f.starting_at DESC, f.id LIMIT 1) t
), compared AS (
    SELECT n.season_id, n.stage, n.season_id AS of_season, false AS earlier FROM season n
    UNION ALL
    SELECT n.season_id, n.stage, e.id, true
    FROM season n
    CROSS JOIN LATERAL (SELECT s.id FROM football.seasons s WHERE s.league_id = n.league_id AND s.starting_at < n.starting_at
                        ORDER BY s.starting_at DESC LIMIT 3) e
), match AS (
    SELECT c.season_id, c.earlier, f.id, f.quality_score, r.includes
    FROM compared c
    CROSS JOIN LATERAL (
        SELECT f.id, f.quality_score
        FROM football.fixtures f
        LEFT JOIN football.stages g ON g.id = f.stage_id
        WHERE f.season_id = c.of_season AND f.state_id IN (5, 7, 8) AND f.collection_status = 'COLLECTED'
          AND f.replaced_by IS NULL AND coalesce(g.name, '') = c.stage
          AND f.starting_at < %(now)s::timestamptz - interval '2 days'
        ORDER BY f.starting_at DESC, f.id LIMIT 30) f
    JOIN raw.fixtures r ON r.fixture_id = f.id
), counted AS (
    SELECT m.season_id, m.earlier, v.place, v.section, v.number
    FROM match m
    CROSS JOIN LATERAL (VALUES
        (1, 'scores', (SELECT count(*) FROM football.fixture_scores x WHERE x.fixture_id = m.id)),
        (2, 'events', (SELECT count(*) FROM football.fixture_events x WHERE x.fixture_id = m.id)),
        (3, 'lineups', (SELECT count(*) FROM football.fixture_lineups x WHERE x.fixture_id = m.id)),
        (4, 'lineups.details', (SELECT count(*) FROM football.fixture_player_statistics x WHERE x.fixture_id = m.id)),
        (5, 'statistics', (SELECT count(*) FROM football.fixture_statistics x WHERE x.fixture_id = m.id)),
        (6, 'periods', (SELECT count(*) FROM football.fixture_periods x WHERE x.fixture_id = m.id)),
        (7, 'quality score', m.quality_score)
    ) AS v (place, section, number)
    WHERE v.section = 'quality score'
       OR EXISTS (SELECT 1 FROM unnest(m.includes) i WHERE i = v.section OR starts_with(i, v.section || '.'))
), section AS (
    SELECT c.season_id, c.place, c.section,
           round(avg(c.number) FILTER (WHERE NOT c.earlier), 1) AS now, round(avg(c.number) FILTER (WHERE c.earlier), 1) AS before
    FROM counted c
    GROUP BY c.season_id, c.place, c.section
    HAVING count(*) FILTER (WHERE NOT c.earlier) >= 10 AND count(*) FILTER (WHERE c.earlier) >= 20
       AND avg((c.number > 0)::integer) FILTER (WHERE c.earlier) >= 0.8
), fewer AS (
    SELECT s.* FROM section s
    WHERE CASE s.section
          WHEN 'quality score' THEN %(quality_points)s::numeric > 0 AND s.before - s.now > %(quality_points)s::numeric
          ELSE 100 * s.now < %(rows_percent)s::numeric * s.before END
)
SELECT 'FEWER_ROWS:' || n.season_id AS dedupe_key, 'WARNING' AS severity,
       format('%%s %%s', coalesce(nullif(n.league_name, ''), 'League ' || n.league_id), coalesce(nullif(n.season_name, ''), n.season_id::text)) AS subject,
       'Newest matches against those of the seasons before'
       || coalesce(', in rows per match: ' || string_agg(format('%%s %%s instead of %%s', f.section, f.now, f.before), ', ' ORDER BY f.place)
                   FILTER (WHERE f.section <> 'quality score'), '')
       || coalesce('; quality score ' || string_agg(format('%%s instead of %%s', f.now, f.before), '') FILTER (WHERE f.section = 'quality score'), '')
       || '.' AS message,
       'Look at the same matches at the provider: does it still deliver these sections? If it is meant so, acknowledge the alert; alerts.rows_percent and alerts.quality_points of include/catalog.yaml are the limits.' AS hint,
       jsonb_build_object('stage', n.stage, 'sections', jsonb_object_agg(f.section, jsonb_build_object('now', f.now, 'before', f.before))) AS details,
       n.last_execution_id AS execution_id, n.league_id, n.season_id
FROM season n
JOIN fewer f USING (season_id)
GROUP BY n.league_id, n.season_id, n.league_name, n.season_name, n.stage, n.last_execution_id;
