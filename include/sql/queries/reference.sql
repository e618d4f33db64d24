-- Short statements about reference data.

-- name: reference/followed_leagues
-- Chunks of leagues that are not followed any more rest: no coverage, no alerts, until they are followed again.
UPDATE etl.chunks
SET deactivated_at = CASE WHEN league_id = ANY (%(leagues)s) THEN NULL ELSE %(now)s END
WHERE (deactivated_at IS NULL) <> (league_id = ANY (%(leagues)s));

-- name: reference/followed_seasons
-- Seasons of the followed leagues.
SELECT id, league_id, is_current, starting_at FROM football.seasons WHERE league_id = ANY (%(leagues)s);
