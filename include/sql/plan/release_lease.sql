-- Gives a chunk back, if it is still ours.
UPDATE etl.chunks SET owner = NULL
WHERE league_id = %(league_id)s AND season_id = %(season_id)s AND fence = %(fence)s
