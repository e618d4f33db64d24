-- The ledger: what the provider changed after the fact, newest first.
SELECT c.change_id, c.changed_at, c.fixture_id, f.name AS fixture_name, c.league_id, c.season_id, k.league_name, k.season_name,
       c.section, c.field, c.before, c.after, c.hours_after, c.execution_id
FROM (SELECT * FROM etl.fixture_changes
      WHERE (%(before)s::bigint IS NULL OR change_id < %(before)s)
        AND (%(league_id)s::bigint IS NULL OR league_id = %(league_id)s)
        AND (%(season_id)s::bigint IS NULL OR season_id = %(season_id)s)
        AND (%(fixture_id)s::bigint IS NULL OR fixture_id = %(fixture_id)s)
        AND (%(execution_id)s::text IS NULL OR execution_id = %(execution_id)s)
      ORDER BY change_id DESC LIMIT %(limit)s) c
LEFT JOIN football.fixtures f ON f.id = c.fixture_id
LEFT JOIN etl.chunks k ON k.league_id = c.league_id AND k.season_id = c.season_id
ORDER BY c.change_id DESC;
