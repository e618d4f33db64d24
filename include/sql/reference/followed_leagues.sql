-- Chunks of leagues that are not followed any more rest: no coverage, no alerts, until they are followed again.
UPDATE etl.chunks
SET deactivated_at = CASE WHEN league_id = ANY (%(leagues)s) THEN NULL ELSE %(now)s END
WHERE (deactivated_at IS NULL) <> (league_id = ANY (%(leagues)s))
