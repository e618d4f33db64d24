-- Short statements of storing a batch.

-- name: load/hold_lease
-- The fence of a chunk, held until the batch is committed: whoever moves it locks the row FOR UPDATE first and waits. Not
-- FOR SHARE, for which every heartbeat would wait: with several writers there is always such a lock. A fence that
-- moved without FOR UPDATE would not be seen here: behind plain updates, this lock takes the row as the statement found it.
-- Nothing in this transaction waits for ever.
-- The planner cannot know how many rows a payload holds and guesses millions: compiling and remembering cost more than
-- the statements themselves.
WITH bounded AS MATERIALIZED (
    SELECT set_config('lock_timeout', '30s', true), set_config('statement_timeout', '300s', true),
           set_config('jit', 'off', true), set_config('enable_memoize', 'off', true)
)
SELECT c.fence FROM bounded, etl.chunks c
WHERE c.league_id = %(league_id)s AND c.season_id = %(season_id)s
FOR KEY SHARE OF c;

-- name: load/keep_answer
-- An answer that has been fetched: safe from here on. Nothing is returned when the chunk has a new owner.
INSERT INTO etl.fetched_answers AS kept (answer_id, execution_id, league_id, season_id, fetched_at, packed)
SELECT %(answer_id)s, %(execution_id)s, league_id, season_id, coalesce(%(fetched_at)s, clock_timestamp()), %(packed)s
FROM etl.chunks
WHERE league_id = %(league_id)s AND season_id = %(season_id)s AND fence = %(fence)s
FOR KEY SHARE
-- The statement is repeated after a connection that broke during the commit.
ON CONFLICT (answer_id) DO UPDATE SET fetched_at = kept.fetched_at
RETURNING answer_id;

-- name: load/ledger
-- What changed after the fact, one row per field or row.
INSERT INTO etl.fixture_changes (changed_at, fixture_id, league_id, season_id, section, field, before, after, hours_after, execution_id)
SELECT %(now)s, c.fixture_id, %(league_id)s, %(season_id)s, c.section, c.field, c.before, c.after, c.hours, %(execution_id)s
FROM jsonb_to_recordset(%(changes)s) AS c(
        fixture_id bigint, section text, field text, before jsonb, after jsonb, hours numeric);

-- name: load/left_answers
-- Answers of a chunk that were fetched and never stored, oldest first.
SELECT answer_id FROM etl.fetched_answers
WHERE league_id = %(league_id)s AND season_id = %(season_id)s
ORDER BY fetched_at, answer_id;

-- name: load/mark_plan
-- Marks the fixtures of a batch off in the plan of this run; a row that is marked so already is not written again.
-- Returned are the fixtures whose outcome is another one now, counted by the outcome before and after. The ids are named
-- once more, because the planner expects one row of a plan that was just written and would compare each with all of it.
WITH d AS (
    SELECT x.fixture_id, x.outcome, x.error, p.status AS before
    FROM jsonb_to_recordset(%(decisions)s) AS x(fixture_id bigint, outcome text, error text)
    JOIN etl.execution_fixtures p
      ON p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.fixture_id = x.fixture_id
    WHERE p.fixture_id = ANY (%(ids)s)
    FOR UPDATE OF p
), marked AS (
    UPDATE etl.execution_fixtures p
    SET status = d.outcome, error = d.error, done_at = %(now)s
    FROM d
    WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.fixture_id = d.fixture_id
      AND p.fixture_id = ANY (%(ids)s)
      AND (p.status, p.error) IS DISTINCT FROM (d.outcome, d.error)
)
SELECT before, outcome, count(*) FROM d WHERE before <> outcome GROUP BY before, outcome;

-- name: load/stored_states
-- The stored state of a batch's fixtures, locked in one order so that two batches never wait for each other.
SELECT f.id, f.state_id, f.starting_at, f.ended_at, f.collection_status, f.last_fetched_at, f.unchanged_reads, f.held_reads,
       f.held_hash, f.missing_reads, f.failed_reads, f.index_changed_at, f.index_missing_at, f.replaced_by IS NOT NULL,
       -- Without a first read the payload is what an emptied table has left behind: it counts as none.
       CASE WHEN f.first_fetched_at IS NOT NULL THEN r.content_hash END, r.includes,
       CASE WHEN f.first_fetched_at IS NULL THEN ARRAY(
                SELECT t.key FROM jsonb_each(jsonb_strip_nulls(to_jsonb(f))) AS t WHERE t.key = ANY (%(base_fields)s))
            ELSE string_to_array(f.suspected_sections, ', ') END,
       f.league_id, f.season_id
FROM football.fixtures f
LEFT JOIN raw.fixtures r ON r.fixture_id = f.id
WHERE f.id = ANY (%(ids)s)
ORDER BY f.id
FOR UPDATE OF f;

-- name: load/progress
-- Progress of the chunk within the run, and of the run, by what the batch has changed in the plan; last in the
-- transaction, so the locks are short.
WITH chunk AS (
    UPDATE etl.execution_chunks
    SET processed = processed + %(processed)s, saved = saved + %(saved)s, unchanged = unchanged + %(unchanged)s,
        failed = failed + %(failed)s, missing = missing + %(missing)s
    WHERE execution_id = %(execution_id)s AND league_id = %(league_id)s AND season_id = %(season_id)s
    RETURNING execution_id, status
)
UPDATE etl.etl_executions e
SET processed_fixtures = processed_fixtures + %(processed)s,
    successful_fixtures = successful_fixtures + %(saved)s + %(unchanged)s,
    failed_fixtures = failed_fixtures + %(failed)s, missing_fixtures = missing_fixtures + %(missing)s
FROM chunk WHERE e.execution_id = chunk.execution_id AND chunk.status <> 'SKIPPED';

-- name: load/raw
-- Newest payload per fixture, with the sections of an earlier one that this response was not requested with.
INSERT INTO raw.fixtures AS r (fixture_id, payload, content_hash, includes, reference_date, collected_at, created_at, updated_at)
SELECT fixture_id, payload, content_hash, includes,
       (etl.to_utc(payload ->> 'starting_at') AT TIME ZONE 'UTC')::date, collected_at, collected_at, collected_at
FROM incoming
ON CONFLICT (fixture_id) DO UPDATE
    SET payload = excluded.payload, content_hash = excluded.content_hash, includes = excluded.includes,
        reference_date = excluded.reference_date, collected_at = excluded.collected_at, updated_at = excluded.collected_at;

-- name: load/stored_outcomes
-- What became of the fixtures of a batch in a run.
SELECT status, count(*) FROM etl.execution_fixtures
WHERE execution_id = %(execution_id)s AND season_id = %(season_id)s AND fixture_id = ANY (%(ids)s) AND status <> 'PENDING'
GROUP BY status;

-- name: load/take_answer
-- An answer goes with the transaction that stores it; nothing to take means that it has been stored already.
DELETE FROM etl.fetched_answers WHERE answer_id = %(answer_id)s RETURNING answer_id;

-- name: load/saved_response
-- One response that was fetched and not stored yet, with the execution that fetched it.
SELECT execution_id, packed FROM etl.fetched_answers WHERE answer_id = %(answer_id)s;

-- name: load/copy_incoming
-- The fixtures of a batch that do not go straight into their tables, as one stream.
COPY incoming (fixture_id, payload, cleaned, content_hash, includes, collected_at, sections) FROM STDIN (FORMAT binary);

-- name: load/copy_raw
-- First payloads of fixtures, as one stream.
COPY raw.fixtures (fixture_id, payload, content_hash, includes, reference_date, collected_at, created_at, updated_at) FROM STDIN (FORMAT binary);

-- name: load/copy_participants
-- Rows as one stream, into the table or the temporary one: who plays where.
COPY {table} (fixture_id, team_id, location, winner, position, name, created_at, updated_at) FROM STDIN (FORMAT
    binary);

-- name: load/copy_scores
-- Rows as one stream, into the table or the temporary one: scores.
COPY {table} (fixture_id, id, type_id, participant_id, goals, participant, description, created_at, updated_at) FROM
    STDIN (FORMAT binary);

-- name: load/copy_events
-- Rows as one stream, into the table or the temporary one: events.
COPY {table} (fixture_id, id, period_id, participant_id, type_id, sub_type_id, player_id, related_player_id, coach_id,
    player_name, related_player_name, result, info, addition, minute, extra_minute, injured, on_bench, rescinded,
    sort_order, section, created_at, updated_at) FROM STDIN (FORMAT binary);

-- name: load/copy_lineups
-- Rows as one stream, into the table or the temporary one: lineups.
COPY {table} (fixture_id, id, player_id, team_id, position_id, type_id, formation_field, formation_position,
    player_name, jersey_number, created_at, updated_at) FROM STDIN (FORMAT binary);

-- name: load/copy_player_statistics
-- Rows as one stream, into the table or the temporary one: statistics per player.
COPY {table} (fixture_id, id, lineup_id, player_id, team_id, type_id, value, value_text, created_at, updated_at) FROM
    STDIN (FORMAT binary);

-- name: load/copy_player_figures
-- Rows as one stream, into the table or the temporary one: figures of players in columns.
COPY {table} (fixture_id, lineup_id,
    minutes, rating, captain, goals, assists, own_goals, yellow_cards, second_yellow_cards, red_cards, shots,
    shots_on_target, expected_goals, expected_goals_on_target, passes, accurate_passes, key_passes, crosses, dribbles,
    successful_dribbles, touches, duels_won, tackles, interceptions, clearances, fouls, fouls_drawn, offsides, saves,
    goals_conceded, created_at, updated_at) FROM STDIN (FORMAT binary);

-- name: load/copy_statistics
-- Rows as one stream, into the table or the temporary one: statistics.
COPY {table} (fixture_id, id, type_id, participant_id, location, value, value_text, created_at, updated_at) FROM STDIN
    (FORMAT binary);

-- name: load/copy_periods
-- Rows as one stream, into the table or the temporary one: periods.
COPY {table} (fixture_id, id, type_id, description, started_at, ended_at, counts_from, ticking, sort_order,
    time_added, minutes, created_at, updated_at) FROM STDIN (FORMAT binary);

-- name: load/nothing_stored
-- Those of some fixtures that have no payload and no row of any section.
SELECT f.id FROM unnest(%(ids)s::bigint[]) AS f(id)
WHERE NOT EXISTS (SELECT 1 FROM raw.fixtures t WHERE t.fixture_id = f.id)
  AND NOT EXISTS (SELECT 1 FROM football.fixture_participants t WHERE t.fixture_id = f.id)
  AND NOT EXISTS (SELECT 1 FROM football.fixture_scores t WHERE t.fixture_id = f.id)
  AND NOT EXISTS (SELECT 1 FROM football.fixture_events t WHERE t.fixture_id = f.id)
  AND NOT EXISTS (SELECT 1 FROM football.fixture_lineups t WHERE t.fixture_id = f.id)
  AND NOT EXISTS (SELECT 1 FROM football.fixture_player_statistics t WHERE t.fixture_id = f.id)
  AND NOT EXISTS (SELECT 1 FROM football.fixture_player_figures t WHERE t.fixture_id = f.id)
  AND NOT EXISTS (SELECT 1 FROM football.fixture_statistics t WHERE t.fixture_id = f.id)
  AND NOT EXISTS (SELECT 1 FROM football.fixture_periods t WHERE t.fixture_id = f.id);

-- name: load/stored_hashes
-- By what the stored content of some fixtures is known.
SELECT r.fixture_id, r.content_hash, f.hash_as_sent, f.hash_in_order
FROM raw.fixtures r JOIN football.fixtures f ON f.id = r.fixture_id
WHERE r.fixture_id = ANY (%(ids)s);

-- name: load/add_fixtures
-- Rows of fixtures that came without having been in an index.
INSERT INTO football.fixtures (id, league_id, season_id, created_at, updated_at)
SELECT f.id, %(league_id)s, %(season_id)s, %(now)s, %(now)s FROM unnest(%(ids)s::bigint[]) AS f(id) ORDER BY f.id
ON CONFLICT (id) DO NOTHING;

-- name: load/mark_replaced
-- Marks fixtures outside the index that are in it under another id.
SELECT etl.mark_replaced(%(league_id)s, %(season_id)s, %(now)s);

-- name: load/stored_payloads
-- The stored payloads of some fixtures, as text.
SELECT fixture_id, payload::text FROM raw.fixtures WHERE fixture_id = ANY (%(ids)s);

-- name: load/season_matches
-- The detail of every played fixture of a season that is stored, and whether its payload is the first one of it as a played
-- match, confirmed by no further read, then whether its content has come only once and is not
-- suspected.
SELECT d.fixture_id, d.requested, d.filled, d.goals,
       f.held_reads = 0 AND f.unchanged_reads = 0
       AND (f.first_fetched_at = f.last_fetched_at
            OR EXISTS (SELECT 1 FROM etl.fixture_changes c
                       WHERE c.fixture_id = f.id AND c.changed_at = f.last_fetched_at
                         AND c.section = 'fixture' AND c.field = 'state_id'
                         AND NOT c.before <@ to_jsonb(%(played)s::bigint[]))),
       f.held_reads = 0 AND f.unchanged_reads = 0
FROM etl.played_detail(%(league_id)s, %(season_id)s, %(played)s) d
JOIN football.fixtures f ON f.id = d.fixture_id;

-- name: load/suspect
-- Stored fixtures whose payloads are suspected to lack some sections: read again soon.
WITH found AS (
    SELECT f.id, r.content_hash, s.sections
    FROM jsonb_to_recordset(%(rows)s) AS s(fixture_id bigint, sections text)
    JOIN football.fixtures f ON f.id = s.fixture_id
    JOIN raw.fixtures r ON r.fixture_id = f.id
    WHERE f.held_reads = 0 AND f.unchanged_reads = 0
    ORDER BY f.id
    FOR UPDATE OF f
)
UPDATE football.fixtures f
SET held_reads = 1, held_hash = found.content_hash,
    suspected_sections = concat_ws(', ', f.suspected_sections, found.sections),
    suspected_at = coalesce(f.suspected_at, %(now)s),
    next_due_at = f.last_fetched_at + make_interval(secs => 3600 * %(hours)s::float8), due_reason = 'held'
FROM found
WHERE f.id = found.id;

-- name: load/forget
-- Fixtures that are to look as if they had never been read.
SELECT etl.forget_fixtures(%(ids)s, %(now)s);

-- name: load/incomplete
-- Of some sections of fixtures: which fixtures have fewer rows in a table than they should.
SELECT e.fixture_id
FROM jsonb_to_recordset(%(rows)s) AS e(fixture_id bigint, section text, rows bigint)
WHERE e.rows > CASE e.section
    WHEN 'participants' THEN (SELECT count(*) FROM football.fixture_participants t WHERE t.fixture_id = e.fixture_id)
    WHEN 'scores' THEN (SELECT count(*) FROM football.fixture_scores t WHERE t.fixture_id = e.fixture_id)
    WHEN 'events' THEN (SELECT count(*) FROM football.fixture_events t WHERE t.fixture_id = e.fixture_id)
    WHEN 'lineups' THEN (SELECT count(*) FROM football.fixture_lineups t WHERE t.fixture_id = e.fixture_id)
    WHEN 'statistics' THEN (SELECT count(*) FROM football.fixture_statistics t WHERE t.fixture_id = e.fixture_id)
    WHEN 'periods' THEN (SELECT count(*) FROM football.fixture_periods t WHERE t.fixture_id = e.fixture_id)
    WHEN 'lineups.details' THEN (SELECT count(*) FROM football.fixture_player_statistics t WHERE t.fixture_id = e.fixture_id)
    END
GROUP BY e.fixture_id
ORDER BY e.fixture_id;
