-- One match of the seeded warehouse with everything that the page of a fixture shows.
INSERT INTO football.teams (id, name) VALUES (1, 'Ajax'), (2, 'PSV');

INSERT INTO football.types (id, name) VALUES (14, 'Goal');

UPDATE football.fixtures SET home_team_id = 1, away_team_id = 2, home_goals = 2, away_goals = 1, name = 'Ajax vs PSV',
       result_info = 'Ajax won 2-1', state_id = 5, first_fetched_at = last_fetched_at WHERE id = %(fixture)s;

INSERT INTO football.fixture_participants (fixture_id, team_id, location, winner, name)
VALUES (%(fixture)s, 1, 'home', true, 'Ajax'), (%(fixture)s, 2, 'away', false, 'PSV');

INSERT INTO football.fixture_scores (fixture_id, id, participant, description, goals)
VALUES (%(fixture)s, 1, 'home', '1ST_HALF', 1), (%(fixture)s, 2, 'away', '1ST_HALF', 1), (%(fixture)s, 3, 'home', 'CURRENT', 2),
       (%(fixture)s, 4, 'away', 'CURRENT', 1);

INSERT INTO football.fixture_events (fixture_id, id, participant_id, type_id, player_name, minute, sort_order)
VALUES (%(fixture)s, 2, 2, 14, 'B. Striker', 40, 2), (%(fixture)s, 1, 1, 14, 'A. Striker', 11, 1), (%(fixture)s, 3, 1, 4711, 'A. Striker', 77, 3);

INSERT INTO raw.fixtures (fixture_id, payload, content_hash, includes, collected_at)
VALUES (%(fixture)s, %(payload)s, '\x00', '{events,participants,scores}', clock_timestamp());

DELETE FROM etl.execution_fixtures WHERE fixture_id = %(fixture)s AND execution_id NOT IN (%(newest)s, %(older)s);

UPDATE etl.execution_fixtures SET status = 'HELD', error = 'lineups went from 22 rows to 0'
WHERE fixture_id = %(fixture)s AND execution_id = %(newest)s;

INSERT INTO etl.execution_fixtures AS p (execution_id, league_id, season_id, fixture_id, position, reason, priority, status, done_at)
VALUES (%(older)s, 1, 1001, %(fixture)s, 900, 'never_collected', 100, 'SAVED', clock_timestamp() - interval '90 days')
ON CONFLICT (execution_id, season_id, fixture_id) DO UPDATE SET reason = excluded.reason, done_at = excluded.done_at;

DELETE FROM etl.fixture_changes WHERE fixture_id = %(fixture)s;

INSERT INTO etl.fixture_changes (fixture_id, league_id, season_id, section, field, before, after, hours_after, execution_id)
VALUES (%(fixture)s, 1, 1001, 'fixture', 'result_info', '"Ajax won 3-1"', '"Ajax won 2-1"', 20, %(newest)s);
