-- Leagues with data that may be missing by an accident, and whose suspicion stayed when the provider was requested again:
-- fixtures without what every match has, or held back, and indexes that lack known fixtures, list none or some of
-- other seasons. A season, and a fixture, that has not begun may truly have nothing yet.
WITH fixture AS (
    SELECT league_id, season_id, count(*) AS fixtures,
           string_agg(DISTINCT coalesce(suspected_sections, 'degraded sections'), '; ') AS sections
    FROM football.suspected_fixtures
    WHERE confirmed
    GROUP BY league_id, season_id
), season AS (
    SELECT k.league_id, k.season_id, k.league_name, coalesce(nullif(k.season_name, ''), k.season_id::text) AS season_name,
           k.last_execution_id, f.fixtures, f.sections,
           (k.doubtful_indexes >= 2 AND (n.has_fixtures OR b.begun))
           -- Believed to be empty by now; of a season that is over that is an answer.
           OR (k.indexed_at IS NOT NULL AND NOT n.has_fixtures AND b.begun AND s.finished IS NOT TRUE) AS index_suspected
    FROM etl.chunks k
    LEFT JOIN fixture f USING (league_id, season_id)
    LEFT JOIN football.seasons s ON s.id = k.season_id
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM football.fixtures x
                                       WHERE x.league_id = k.league_id AND x.season_id = k.season_id) AS has_fixtures) n
    CROSS JOIN LATERAL (SELECT coalesce(s.starting_at <= (%(now)s::timestamptz AT TIME ZONE 'UTC')::date,
                                        s.is_current OR s.finished, false) AS begun) b
    WHERE k.deactivated_at IS NULL
)
SELECT 'SUSPECTED_DATA:' || league_id AS dedupe_key, 'WARNING' AS severity,
       coalesce(nullif(max(league_name), ''), 'League ' || league_id) AS subject,
       concat_ws(' ',
           CASE WHEN sum(fixtures) > 0
                THEN format('%%s fixtures lack data (%%s), and did so when they were read again.', sum(fixtures),
                            string_agg(DISTINCT sections, '; ')) END,
           'The index lists too little, nothing or other seasons: ' || string_agg(season_name, ', ' ORDER BY season_name DESC)
               FILTER (WHERE index_suspected) || '.') AS message,
       'Look at the same fixtures or season at the provider, and ask it for what is missing. A fixture that comes without the same a few more times is believed, and no longer counted here.' AS hint,
       jsonb_build_object('fixtures', coalesce(sum(fixtures), 0),
                          'seasons', jsonb_agg(season_name ORDER BY season_name DESC),
                          'indexes', coalesce(jsonb_agg(season_name ORDER BY season_name DESC) FILTER (WHERE index_suspected), '[]')) AS details,
       max(last_execution_id) AS execution_id, league_id, NULL::bigint AS season_id
FROM season
WHERE fixtures > 0 OR index_suspected
GROUP BY league_id;
