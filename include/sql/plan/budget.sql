-- What the budget of fixtures holds now, under the name the API books it by: calls left (empty = not known), limit,
-- seconds until its window resets.
SELECT CASE WHEN b.resets_at > clock_timestamp() THEN b.remaining END, b.call_limit,
       greatest(extract(epoch FROM b.resets_at - clock_timestamp()), 0)
FROM etl.api_budget f
JOIN etl.api_budget b ON b.connection = f.connection AND b.entity = coalesce(f.answers_as, f.entity)
WHERE f.connection = %(connection)s AND f.entity = 'Fixture'
