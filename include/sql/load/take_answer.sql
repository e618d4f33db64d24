-- An answer goes with the transaction that stores it; nothing to take means that it has been stored already.
DELETE FROM etl.fetched_answers WHERE answer_id = %(answer_id)s RETURNING answer_id
