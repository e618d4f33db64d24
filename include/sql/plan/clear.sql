-- A plan made again for the same run replaces what it has not begun; fixtures marked off stay marked.
WITH fixtures AS (
    DELETE FROM etl.execution_fixtures WHERE execution_id = %(execution_id)s AND status = 'PENDING'
)
DELETE FROM etl.execution_chunks WHERE execution_id = %(execution_id)s AND status = 'PENDING'
