-- Football data for analysts: the table of a season at any date, how much comes with a match, whether a season is complete.

-- The table of a season as it was at the end of a day (UTC), from the results as they are known now: one row per stage,
-- group and team. Counted are matches of rounds (not of knock-out stages) that ended with a result (states 5, 7, 8, 14, 17)
-- and whose kick-off is not after that day. Three points for a win, one for a draw; a draw that a penalty shoot-out decided
-- is a win. Ties: points, goal difference, goals scored, team id. What no result says is not in it: deducted points, points
-- taken along from another stage, direct comparison. A team without a match so far stands in it as well.
CREATE OR REPLACE FUNCTION football.standings_at(
    p_season_id bigint, p_date date DEFAULT (clock_timestamp() AT TIME ZONE 'UTC')::date
) RETURNS TABLE (
    league_id bigint, season_id bigint, stage_id bigint, group_id bigint, "position" integer, team_id bigint, team text,
    played integer, won integer, drawn integer, lost integer, goals_for integer, goals_against integer,
    goal_difference integer, points integer,
    home_played integer, home_won integer, home_drawn integer, home_lost integer, home_goals_for integer,
    home_goals_against integer, home_points integer,
    away_played integer, away_won integer, away_drawn integer, away_lost integer, away_goals_for integer,
    away_goals_against integer, away_points integer,
    form text
) LANGUAGE sql STABLE ROWS 24
SET search_path = pg_catalog, pg_temp AS $$
    WITH matches AS (
        SELECT f.*, f.state_id IN (5, 7, 8, 14, 17) AND f.home_goals IS NOT NULL AND f.away_goals IS NOT NULL
                    AND f.starting_at < (p_date + 1)::timestamp AT TIME ZONE 'UTC' AS counts
        FROM football.fixtures f
        WHERE f.season_id = p_season_id AND f.round_id IS NOT NULL AND f.deleted_at IS NULL AND f.replaced_by IS NULL
          AND NOT coalesce(f.placeholder, false)
    ), sides AS (
        SELECT m.league_id, m.stage_id, m.group_id, m.starting_at, m.id, s.team_id, s.home, s.scored, s.conceded,
               CASE WHEN NOT coalesce(m.counts, false) THEN NULL WHEN s.scored > s.conceded THEN 'W'
                    WHEN s.scored < s.conceded THEN 'L' WHEN m.state_id <> 8 OR w.team_id IS NULL THEN 'D'
                    WHEN w.team_id = s.team_id THEN 'W' ELSE 'L' END AS result
        FROM matches m
        LEFT JOIN LATERAL (SELECT p.team_id FROM football.fixture_participants p
                           WHERE m.state_id = 8 AND p.fixture_id = m.id AND p.winner LIMIT 1) w ON true
        CROSS JOIN LATERAL (VALUES (m.home_team_id, true, m.home_goals, m.away_goals),
                                   (m.away_team_id, false, m.away_goals, m.home_goals)) AS s(team_id, home, scored, conceded)
        WHERE s.team_id IS NOT NULL
    ), totals AS (
        SELECT s.league_id, s.stage_id, s.group_id, s.team_id,
               count(result)::integer AS played,
               (count(*) FILTER (WHERE result = 'W'))::integer AS won,
               (count(*) FILTER (WHERE result = 'D'))::integer AS drawn,
               (count(*) FILTER (WHERE result = 'L'))::integer AS lost,
               coalesce(sum(scored) FILTER (WHERE result IS NOT NULL), 0)::integer AS goals_for,
               coalesce(sum(conceded) FILTER (WHERE result IS NOT NULL), 0)::integer AS goals_against,
               (count(result) FILTER (WHERE home))::integer AS home_played,
               (count(*) FILTER (WHERE home AND result = 'W'))::integer AS home_won,
               (count(*) FILTER (WHERE home AND result = 'D'))::integer AS home_drawn,
               (count(*) FILTER (WHERE home AND result = 'L'))::integer AS home_lost,
               coalesce(sum(scored) FILTER (WHERE home AND result IS NOT NULL), 0)::integer AS home_goals_for,
               coalesce(sum(conceded) FILTER (WHERE home AND result IS NOT NULL), 0)::integer AS home_goals_against,
               right(string_agg(result, '' ORDER BY s.starting_at, s.id), 5) AS form
        FROM sides s
        GROUP BY s.league_id, s.stage_id, s.group_id, s.team_id
    )
    SELECT t.league_id, p_season_id, t.stage_id, t.group_id,
           (row_number() OVER (PARTITION BY t.stage_id, t.group_id
                               ORDER BY 3 * t.won + t.drawn DESC, t.goals_for - t.goals_against DESC, t.goals_for DESC,
                                        t.team_id))::integer,
           t.team_id, n.name, t.played, t.won, t.drawn, t.lost, t.goals_for, t.goals_against,
           t.goals_for - t.goals_against, 3 * t.won + t.drawn,
           t.home_played, t.home_won, t.home_drawn, t.home_lost, t.home_goals_for, t.home_goals_against,
           3 * t.home_won + t.home_drawn,
           t.played - t.home_played, t.won - t.home_won, t.drawn - t.home_drawn, t.lost - t.home_lost,
           t.goals_for - t.home_goals_for, t.goals_against - t.home_goals_against,
           3 * (t.won - t.home_won) + t.drawn - t.home_drawn, t.form
    FROM totals t LEFT JOIN football.teams n ON n.id = t.team_id
    ORDER BY t.stage_id, t.group_id, 5
$$;

-- Rows per match and section in the newest matches of a season that were played and read, beside those of the league's
-- seasons before it, of each the newest up to the same day of the season: a cup begins with matches of which the provider has
-- less. matches, earlier_matches: those whose payload was requested with the section; a setting that leaves it out is no
-- anomaly. ratio: this season's rows per match by the earlier ones'; NULL where there is nothing to compare with.
-- It reads p_matches matches of each season and no more, so that its cost does not grow with the warehouse.
CREATE OR REPLACE FUNCTION football.rows_per_match(
    p_season_id bigint, p_matches integer DEFAULT 30, p_seasons integer DEFAULT 3
) RETURNS TABLE (
    section text, matches integer, rows_per_match numeric, earlier_matches integer, earlier_rows_per_match numeric, ratio numeric
) LANGUAGE sql STABLE ROWS 6
SET search_path = pg_catalog, pg_temp AS $$
    WITH chosen AS (
        SELECT s.id, s.league_id, s.starting_at,
               -- The day of the season on which it is now.
               (SELECT (f.starting_at AT TIME ZONE 'UTC')::date - s.starting_at FROM football.fixtures f
                WHERE f.season_id = s.id AND f.state_id IN (5, 7, 8) AND f.collection_status = 'COLLECTED'
                  AND f.replaced_by IS NULL
                ORDER BY f.starting_at DESC LIMIT 1) AS day
        FROM football.seasons s WHERE s.id = p_season_id
    ), seasons AS (
        SELECT a.id, false AS earlier, NULL::timestamptz AS until FROM chosen a
        UNION ALL
        (SELECT e.id, true, (e.starting_at + a.day + 1)::timestamp AT TIME ZONE 'UTC'
         FROM chosen a JOIN football.seasons e ON e.league_id = a.league_id AND e.starting_at < a.starting_at
         ORDER BY e.starting_at DESC LIMIT p_seasons)
    ), matches AS (
        SELECT s.earlier, f.id, r.includes
        FROM seasons s
        CROSS JOIN LATERAL (
            SELECT f.id FROM football.fixtures f
            WHERE f.season_id = s.id AND f.state_id IN (5, 7, 8) AND f.collection_status = 'COLLECTED' AND f.replaced_by IS NULL
              AND f.starting_at < coalesce(s.until, 'infinity')
            ORDER BY f.starting_at DESC, f.id LIMIT p_matches) f
        JOIN raw.fixtures r ON r.fixture_id = f.id
    ), counted AS MATERIALIZED (    -- else `requested` is computed once for each figure
        SELECT m.earlier, c.place, c.section, c.number,
               EXISTS (SELECT 1 FROM unnest(m.includes) AS i
                       WHERE lower(trim(i) COLLATE "C") = c.section OR lower(trim(i) COLLATE "C") ~ ('^' || c.section || '[.:]')) AS requested
        FROM matches m
        CROSS JOIN LATERAL (VALUES
            (1, 'scores', (SELECT count(*) FROM football.fixture_scores x WHERE x.fixture_id = m.id)),
            (2, 'events', (SELECT count(*) FROM football.fixture_events x WHERE x.fixture_id = m.id)),
            (3, 'lineups', (SELECT count(*) FROM football.fixture_lineups x WHERE x.fixture_id = m.id)),
            (4, 'lineups.details', (SELECT count(*) FROM football.fixture_player_statistics x WHERE x.fixture_id = m.id)),
            (5, 'statistics', (SELECT count(*) FROM football.fixture_statistics x WHERE x.fixture_id = m.id)),
            (6, 'periods', (SELECT count(*) FROM football.fixture_periods x WHERE x.fixture_id = m.id))
        ) AS c(place, section, number)
    ), averaged AS (
        SELECT c.place, c.section,
               (count(*) FILTER (WHERE c.requested AND NOT c.earlier))::integer AS matches,
               avg(c.number) FILTER (WHERE c.requested AND NOT c.earlier) AS rows_per_match,
               (count(*) FILTER (WHERE c.requested AND c.earlier))::integer AS earlier_matches,
               avg(c.number) FILTER (WHERE c.requested AND c.earlier) AS earlier_rows_per_match
        FROM counted c GROUP BY c.place, c.section
    )
    SELECT a.section, a.matches, round(a.rows_per_match, 1), a.earlier_matches, round(a.earlier_rows_per_match, 1),
           round(a.rows_per_match / nullif(a.earlier_rows_per_match, 0), 3)
    FROM averaged a
    ORDER BY a.place
$$;

-- Is a season complete, and if not, why not? Always one row. Complete: its list of fixtures has been read, has some and is
-- believed, every fixture has been read, none is due again, none is suspected or held back, and none failed or was not returned.
-- Due is what football.fixture_schedule says. Matches to come do not count against it. remarks: what no reading of today can
-- change, of a complete season as well: postponed matches, sections that the provider has no rows of, sections with which only
-- some of the matches were requested. In PL/pgSQL, because the views come after the functions.
CREATE OR REPLACE FUNCTION football.season_complete(p_season_id bigint, p_now timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (
    season_id bigint, league_id bigint, league text, season text, complete boolean, reason text, fixtures integer,
    played integer, to_play integer, collected integer, unread integer, due integer, suspected integer, failed integer,
    indexed_at timestamptz, last_fetched_at timestamptz, next_due_at timestamptz, postponed integer, remarks text
) LANGUAGE plpgsql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_chunk etl.chunks;
BEGIN
    SELECT c.* INTO v_chunk FROM etl.chunks c WHERE c.season_id = p_season_id ORDER BY c.indexed_at DESC NULLS LAST LIMIT 1;
    RETURN QUERY
    WITH fixtures AS MATERIALIZED (
        SELECT f.*, f.state_id IN (5, 7, 8) AS has_detail
        FROM football.fixtures f
        WHERE f.season_id = p_season_id AND f.deleted_at IS NULL AND f.replaced_by IS NULL
    ), counted AS (
        SELECT count(*)::integer AS fixtures,
               (count(*) FILTER (WHERE f.state_id IN (5, 7, 8, 14, 17)))::integer AS played,
               (count(*) FILTER (WHERE f.state_id IN (1, 10, 13, 16, 26)))::integer AS to_play,
               (count(*) FILTER (WHERE f.state_id = 10))::integer AS postponed,
               (count(*) FILTER (WHERE f.collection_status = 'COLLECTED'))::integer AS collected,
               (count(*) FILTER (WHERE f.collection_status = 'PENDING'))::integer AS unread,
               (count(*) FILTER (WHERE f.collection_status IN ('FAILED', 'MISSING')))::integer AS failed,
               (SELECT count(*) FROM football.fixture_schedule s
                JOIN football.fixtures d ON d.id = s.fixture_id AND d.collection_status = 'COLLECTED'
                WHERE s.season_id = p_season_id AND s.next_due_at <= p_now)::integer AS due,
               (SELECT count(*) FROM football.suspected_fixtures s WHERE s.season_id = p_season_id)::integer AS suspected,
               max(f.last_fetched_at) AS last_fetched_at, min(f.next_due_at) AS next_due_at
        FROM fixtures f
    ), failures AS (
        -- Why, such as a league that the subscription does not cover any more; the two most frequent reasons.
        SELECT string_agg(format('%s: %s', x.number, x.error), ' / ' ORDER BY x.number DESC, x.error) AS errors
        FROM (SELECT count(*) AS number, left(rtrim(f.last_error, '. '), 200) AS error FROM fixtures f
              WHERE f.collection_status IN ('FAILED', 'MISSING') AND f.last_error <> ''
              GROUP BY 2 ORDER BY 1 DESC, 2 LIMIT 2) x
    ), holes AS (
        -- Believed as the provider sends them, because they came so again.
        SELECT string_agg(format('%s played matches have no rows of %s', x.number, x.section), '; ' ORDER BY x.section) AS holes
        FROM (SELECT count(*) AS number, i.section
              FROM fixtures f CROSS JOIN LATERAL unnest(string_to_array(f.suspected_sections, ', ')) AS i(section)
              WHERE f.has_detail AND f.held_reads = 0 AND i.section !~ '_id$'
              GROUP BY 2) x
    ), requested AS (
        SELECT string_agg(format('%s played matches were requested without %s', x.without, x.section), '; ' ORDER BY x.section)
                   AS gaps
        FROM (SELECT n.section, count(*) FILTER (WHERE NOT n.has) AS without
              FROM fixtures f JOIN raw.fixtures r ON r.fixture_id = f.id
              CROSS JOIN LATERAL (
                  SELECT s.section, EXISTS (SELECT 1 FROM unnest(r.includes) AS i
                                            WHERE lower(trim(i) COLLATE "C") ~ ('^' || s.section || '([.:]|$)')) AS has
                  FROM (VALUES ('events'), ('lineups'), ('scores'), ('statistics')) AS s(section)) n
              WHERE f.has_detail
              GROUP BY n.section HAVING bool_or(n.has) AND NOT bool_and(n.has)) x
    ), explained AS (
        SELECT c.*, concat_ws('; ',
                   CASE WHEN v_chunk.season_id IS NULL THEN 'no run has planned this season'
                        WHEN v_chunk.indexed_at IS NULL AND v_chunk.doubtful_indexes > 0
                        THEN 'its list of fixtures was empty, which is believed only if it persists'
                        WHEN v_chunk.indexed_at IS NULL THEN 'its list of fixtures has not been read'
                        WHEN c.fixtures = 0
                        THEN 'its list of fixtures is empty: the provider has none yet, or the subscription does not cover it'
                        WHEN v_chunk.doubtful_indexes > 0 THEN 'its newest list of fixtures lacked known ones and is not believed' END,
                   CASE WHEN v_chunk.deactivated_at IS NOT NULL AND c.to_play > 0
                        THEN 'it is not followed any more and has matches to come' END,
                   CASE WHEN c.unread > 0 THEN c.unread || ' fixtures have not been read' END,
                   CASE WHEN c.due > 0 THEN c.due || ' fixtures are due to be read again' END,
                   CASE WHEN c.suspected > 0 THEN c.suspected || ' fixtures are suspected to lack data' END,
                   CASE WHEN c.failed > 0
                        THEN c.failed || ' fixtures could not be read or were not returned' || coalesce(' (' || f.errors || ')', '') END)
                   AS why,
               nullif(concat_ws('; ', CASE WHEN c.postponed > 0 THEN c.postponed || ' matches are postponed' END, h.holes, r.gaps), '')
                   AS remarks
        FROM counted c CROSS JOIN failures f CROSS JOIN holes h CROSS JOIN requested r
    )
    SELECT p_season_id, coalesce(v_chunk.league_id, s.league_id), coalesce(l.name, nullif(v_chunk.league_name, '')),
           coalesce(s.name, nullif(v_chunk.season_name, '')), e.why = '',
           -- The last run's own error stays noted when nothing is left to do, and explains nothing then.
           nullif(concat_ws('; ', nullif(e.why, ''), CASE WHEN e.why <> '' THEN 'its last run: ' || left(v_chunk.error_message, 300) END), ''),
           e.fixtures, e.played, e.to_play, e.collected, e.unread, e.due, e.suspected, e.failed, v_chunk.indexed_at,
           e.last_fetched_at, e.next_due_at, e.postponed, e.remarks
    FROM explained e
    LEFT JOIN football.seasons s ON s.id = p_season_id
    LEFT JOIN football.leagues l ON l.id = coalesce(v_chunk.league_id, s.league_id);
END $$;

-- The table of a season today beside the provider's own list (raw route standings), one row per team, with what differs: the
-- provider knows deducted points and orders by rules of its own. Without that list its columns are NULL. In PL/pgSQL, because
-- the list's view is made with its route.
CREATE OR REPLACE FUNCTION football.standings_compared(p_season_id bigint)
RETURNS TABLE (
    season_id bigint, stage_id bigint, group_id bigint, team_id bigint, team text, "position" integer, points integer,
    provider_position integer, provider_points integer, provider_collected_at timestamptz, points_difference integer,
    differs boolean
) LANGUAGE plpgsql STABLE ROWS 24
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_list text := 'SELECT NULL::bigint AS stage_id, NULL::bigint AS group_id, NULL::bigint AS participant_id,'
                   ' NULL::integer AS "position", NULL::integer AS points, NULL::timestamptz AS collected_at'
                   ' WHERE false AND $1 IS NULL';
BEGIN
    IF etl.is_football_view('client_sportmonks_standings') THEN
        v_list := 'SELECT p.stage_id, p.group_id, p.participant_id, p."position", p.points, p.collected_at'
                  ' FROM football.provider_standings p WHERE p.season_id = $1';
    END IF;
    RETURN QUERY EXECUTE format($query$
        SELECT $1, coalesce(t.stage_id, p.stage_id), coalesce(t.group_id, p.group_id), coalesce(t.team_id, p.participant_id),
               coalesce(t.team, n.name), t."position", t.points, p."position", p.points, p.collected_at,
               p.points - t.points,
               CASE WHEN p.participant_id IS NOT NULL
                    THEN (t."position", t.points) IS DISTINCT FROM (p."position", p.points) END
        FROM football.standings_at($1) t
        FULL JOIN (%s) p ON p.participant_id = t.team_id AND coalesce(p.stage_id, 0) = coalesce(t.stage_id, 0)
                        AND coalesce(p.group_id, 0) = coalesce(t.group_id, 0)
        LEFT JOIN football.teams n ON n.id = p.participant_id
        ORDER BY 2, 3, 6, 8, 4
    $query$, v_list) USING p_season_id;
END $$;
