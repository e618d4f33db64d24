-- What the budget of fixtures holds now: calls left (empty = not known), limit, seconds until its window resets.
SELECT CASE WHEN resets_at > clock_timestamp() THEN remaining END, call_limit,
       greatest(extract(epoch FROM resets_at - clock_timestamp()), 0)
FROM etl.api_budget WHERE connection = %(connection)s AND entity = 'Fixture'
