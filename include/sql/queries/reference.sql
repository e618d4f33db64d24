-- Short statements about reference data.

-- name: reference/followed_leagues
-- Chunks of leagues that are not followed any more rest: no coverage, no alerts, until they are followed again.
UPDATE etl.chunks
SET deactivated_at = CASE WHEN league_id = ANY (%(leagues)s) THEN NULL ELSE %(now)s END
WHERE (deactivated_at IS NULL) <> (league_id = ANY (%(leagues)s));

-- name: reference/season_chunks
-- Every followed season has a chunk from the start, so that the page and the terminal show what was never read, too.
INSERT INTO etl.chunks (league_id, season_id, league_name, season_name)
SELECT s.league_id, s.season_id, s.league, s.season
FROM jsonb_to_recordset(%(seasons)s) AS s(league_id bigint, season_id bigint, league text, season text)
ORDER BY s.league_id, s.season_id
ON CONFLICT DO NOTHING;

-- name: reference/followed_seasons
-- Seasons of the followed leagues.
SELECT id, league_id, is_current, starting_at FROM football.seasons WHERE league_id = ANY (%(leagues)s);

-- name: reference/missing
-- Which lists does this warehouse lack that a run of this league refers to? Empty when the catalog has been read here.
SELECT v.name
FROM (VALUES ('states', EXISTS (SELECT 1 FROM football.states)),
             ('types', EXISTS (SELECT 1 FROM football.types)),
             ('leagues', EXISTS (SELECT 1 FROM football.leagues WHERE id = %(league_id)s)),
             ('seasons', EXISTS (SELECT 1 FROM football.seasons WHERE league_id = %(league_id)s))) AS v(name, is_there)
WHERE NOT v.is_there
UNION ALL
SELECT name FROM etl.lost_lists() AS name;

-- name: reference/forget_lost
-- Lists of seasons whose tables were emptied; they are due again for every season.
SELECT name FROM etl.forget_lost_lists() AS name;
