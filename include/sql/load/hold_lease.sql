-- The fence of a chunk, held in shared mode until the batch is committed.
SELECT fence FROM etl.chunks WHERE league_id = %(league_id)s AND season_id = %(season_id)s FOR SHARE
