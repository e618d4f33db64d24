-- Rows per section that are stored of some fixtures, for a stored payload that was asked for with other includes.
SELECT f.id, jsonb_build_object(
    'participants', (SELECT count(*) FROM football.fixture_participants t WHERE t.fixture_id = f.id),
    'scores', (SELECT count(*) FROM football.fixture_scores t WHERE t.fixture_id = f.id),
    'events', (SELECT count(*) FROM football.fixture_events t WHERE t.fixture_id = f.id),
    'lineups', (SELECT count(*) FROM football.fixture_lineups t WHERE t.fixture_id = f.id),
    'lineups.details', (SELECT count(*) FROM football.fixture_player_statistics t WHERE t.fixture_id = f.id),
    'statistics', (SELECT count(*) FROM football.fixture_statistics t WHERE t.fixture_id = f.id),
    'periods', (SELECT count(*) FROM football.fixture_periods t WHERE t.fixture_id = f.id))
FROM unnest(%(ids)s::bigint[]) AS f(id)
