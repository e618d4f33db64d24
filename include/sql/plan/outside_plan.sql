-- Why these fixtures did not come; they stay as they are and are asked for again, ever more rarely.
UPDATE football.fixtures SET last_error = %(error)s WHERE id = ANY (%(ids)s) AND deleted_at IS NULL
