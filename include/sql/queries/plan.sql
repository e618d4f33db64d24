-- Short statements of planning and collecting: the plan of a run, its chunks and their leases.

-- name: plan/again
-- A fixture that this run has read and that is due again by now, because its plan was made again.
UPDATE etl.execution_fixtures SET status = 'PENDING', done_at = NULL, error = NULL
WHERE execution_id = %(execution_id)s AND season_id = %(season_id)s AND fixture_id = %(fixture_id)s;

-- name: plan/began
-- When an execution first began.
SELECT started_at FROM etl.etl_executions WHERE execution_id = %(execution_id)s;

-- name: plan/budget
-- What the budget of fixtures holds now, under the name the API books it by: calls left (empty = not known), limit,
-- seconds until its window resets.
SELECT b.remaining, b.call_limit, greatest(extract(epoch FROM b.resets_at - clock_timestamp()), 0)
FROM etl.api_budget f
JOIN etl.api_budget_now b ON b.connection = f.connection AND b.entity = coalesce(f.answers_as, f.entity)
WHERE f.connection = %(connection)s AND f.entity = 'Fixture';

-- name: plan/forget_lost
-- What is marked as read in a league and is not there any more is forgotten; how much of what was found.
SELECT what, number FROM etl.forget_lost(%(league_id)s, %(now)s);

-- name: plan/lock_chunks
-- The chunks of a plan, locked before anything of the run, as everywhere: etl.chunks, etl.execution_chunks (and the plan's
-- fixtures), etl.etl_executions. Whoever waits for a chunk holds no row that another writer needs.
SELECT count(*) FROM (
    SELECT 1 FROM etl.chunks c
    WHERE c.league_id = %(league_id)s
      AND (c.season_id = ANY (%(seasons)s::bigint[])
           OR EXISTS (SELECT 1 FROM etl.execution_chunks e
                      WHERE e.execution_id = %(execution_id)s AND e.league_id = c.league_id AND e.season_id = c.season_id))
    ORDER BY c.league_id, c.season_id
    FOR UPDATE OF c) AS locked;

-- name: plan/chunks
-- The chunks of a plan, in order of priority.
INSERT INTO etl.execution_chunks AS c (execution_id, league_id, season_id, position, priority, planned, index_failed)
SELECT %(execution_id)s, %(league_id)s, p.season_id, p.position, p.priority, p.planned, p.season_id = ANY (%(unread)s::bigint[])
FROM jsonb_to_recordset(%(chunks)s) AS p(season_id bigint, position integer, priority bigint, planned integer)
ON CONFLICT (execution_id, league_id, season_id) DO UPDATE
    SET position = excluded.position, priority = excluded.priority, planned = excluded.planned,
        index_failed = excluded.index_failed,
        status = 'PENDING', finished_at = NULL, collected_at = NULL, error_message = NULL;

-- name: plan/clear
-- A plan made again for the same run replaces what it has not begun; fixtures marked off stay marked.
WITH fixtures AS (
    DELETE FROM etl.execution_fixtures WHERE execution_id = %(execution_id)s AND status = 'PENDING'
)
DELETE FROM etl.execution_chunks WHERE execution_id = %(execution_id)s AND status = 'PENDING';

-- name: plan/close_chunk
-- Work on a season ends, whatever happened in it.
SELECT etl.close_chunk(%(execution_id)s, %(league_id)s, %(season_id)s);

-- name: plan/collected
-- The collector has reached the end of the chunk's plan, or stops here with the reason.
UPDATE etl.execution_chunks
SET collected_at = CASE WHEN %(error)s::text IS NULL THEN clock_timestamp() END, error_message = %(error)s
WHERE execution_id = %(execution_id)s AND league_id = %(league_id)s AND season_id = %(season_id)s;

-- name: plan/ensure_chunk
-- The row of a chunk that no index has made yet.
INSERT INTO etl.chunks (league_id, season_id, league_name, season_name)
VALUES (%(league_id)s, %(season_id)s, %(league)s, %(season)s)
ON CONFLICT DO NOTHING;

-- name: plan/fixtures
-- What is known of every fixture of a league, for the recheck schedule, and the stored time and reason of its next read.
SELECT f.season_id, f.id, f.next_due_at, f.due_reason, f.state_id, f.starting_at, f.ended_at, f.collection_status, f.last_fetched_at, f.last_requested_at,
       f.unchanged_reads, f.held_reads, f.missing_reads, f.failed_reads, f.index_changed_at, f.index_missing_at,
       coalesce(NOT f.read_includes @> %(includes)s::text[], false), f.replaced_by IS NOT NULL
FROM football.fixtures f
WHERE f.league_id = %(league_id)s AND (%(seasons)s::bigint[] IS NULL OR f.season_id = ANY (%(seasons)s::bigint[]));

-- name: plan/finish_again
-- A run that had ended was started again and has nothing to do: no other task may follow that would finish it.
SELECT etl.finish_etl_execution(e.execution_id) FROM etl.etl_executions e
WHERE e.execution_id = %(execution_id)s AND e.first_finished_at IS NOT NULL;

-- name: plan/heartbeat
-- Sign of life of a chunk's owner and of its execution, with the connection that is free anyway.
WITH chunk AS (
    UPDATE etl.chunks SET heartbeat_at = clock_timestamp()
    WHERE league_id = %(league_id)s AND season_id = %(season_id)s AND fence = %(fence)s
    RETURNING fence
)
UPDATE etl.etl_executions SET heartbeat_at = clock_timestamp()
WHERE execution_id = %(execution_id)s AND EXISTS (SELECT 1 FROM chunk);

-- name: plan/known_good
-- A fixture of the season that came with its last request, the newest one, and that this run need not read any more.
SELECT f.id FROM football.fixtures f
WHERE f.league_id = %(league_id)s AND f.season_id = %(season_id)s AND f.deleted_at IS NULL
  AND f.last_fetched_at IS NOT NULL AND f.failed_reads = 0 AND f.missing_reads = 0
  AND NOT EXISTS (SELECT 1 FROM etl.execution_fixtures p
                  WHERE p.execution_id = %(execution_id)s AND p.fixture_id = f.id AND p.status = 'PENDING')
ORDER BY f.last_fetched_at DESC, f.id LIMIT 1;

-- name: plan/season_news
-- What is different in a season since its collection was last complete: fixtures whose content was stored or that were
-- deleted, and how many of them had been collected before.
SELECT count(*), count(*) FILTER (WHERE f.first_fetched_at <= c.last_collected_at)
FROM etl.chunks c JOIN football.fixtures f USING (league_id, season_id)
WHERE c.league_id = %(league_id)s AND c.season_id = %(season_id)s
  AND greatest(f.last_changed_at, f.deleted_at) > coalesce(c.last_collected_at, '-infinity');

-- name: plan/missed_once
-- Fixtures that this run requested and that were missing for the first time in a row, in plan order.
SELECT p.fixture_id, p.reason, p.priority, p.urgent
FROM etl.execution_fixtures p
JOIN football.fixtures f ON f.id = p.fixture_id
WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.status = 'MISSING'
  AND f.missing_reads = 1 AND f.deleted_at IS NULL
ORDER BY p.position;

-- name: plan/missing
-- Fixtures of a season that this run requested and that are missing without an explanation.
SELECT f.id FROM football.fixtures f
JOIN etl.execution_fixtures p ON p.fixture_id = f.id
WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.status = 'MISSING'
  AND f.missing_reads > 0 AND f.deleted_at IS NULL;

-- name: plan/open_chunk
-- Work on a season begins in a run, or begins again after a clear.
SELECT etl.open_chunk(%(execution_id)s, %(league_id)s, %(season_id)s)
WHERE NOT EXISTS (SELECT FROM etl.execution_chunks
                  WHERE execution_id = %(execution_id)s AND league_id = %(league_id)s AND season_id = %(season_id)s
                    AND status = 'RUNNING');

-- name: plan/note_unread_index
-- Why the list of a season, which has never been read, could not be read; noted until it is.
INSERT INTO etl.chunks AS c (league_id, season_id, league_name, season_name, error_message)
VALUES (%(league_id)s, %(season_id)s, %(league)s, %(season)s, %(error)s)
ON CONFLICT (league_id, season_id) DO UPDATE SET error_message = excluded.error_message, updated_at = %(now)s
    WHERE c.indexed_at IS NULL AND c.error_message IS DISTINCT FROM excluded.error_message;

-- name: plan/outside_plan
-- Records why these fixtures were not returned; they stay as they are and are requested again, at growing intervals.
UPDATE football.fixtures SET last_error = %(error)s WHERE id = ANY (%(ids)s) AND deleted_at IS NULL;

-- name: plan/pending
-- What is left of a chunk's plan in this run, in plan order.
SELECT p.fixture_id, p.reason, p.priority, p.urgent
FROM etl.execution_fixtures p
WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.status = 'PENDING'
ORDER BY p.position;

-- name: plan/recount_chunks
-- The figures of the chunks of a run whose plan was made again, by what is marked off in it.
SELECT etl.recount_chunk(execution_id, league_id, season_id) FROM etl.execution_chunks
WHERE execution_id = %(execution_id)s AND status <> 'SKIPPED' ORDER BY league_id, season_id;

-- name: plan/recount_run
-- The same of the run itself.
SELECT etl.recount_execution(%(execution_id)s);

-- name: plan/release_lease
-- Gives a chunk back, if it is still ours. With waiting, the attempt goes on after a wait for calls.
WITH released AS (
    UPDATE etl.chunks SET owner = NULL
    WHERE league_id = %(league_id)s AND season_id = %(season_id)s AND fence = %(fence)s
    RETURNING league_id
)
UPDATE etl.execution_chunks SET waiting = true
WHERE %(waiting)s AND execution_id = %(execution_id)s AND league_id = %(league_id)s AND season_id = %(season_id)s
  AND EXISTS (SELECT 1 FROM released);

-- name: plan/planned_seasons
-- The seasons in the plan of an execution; no row while it has no plan, or once all of it is done.
SELECT coalesce(array_agg(c.season_id ORDER BY c.position) FILTER (WHERE c.season_id IS NOT NULL), '{}')
FROM etl.etl_executions e LEFT JOIN etl.execution_chunks c USING (execution_id)
WHERE e.execution_id = %(execution_id)s AND e.planned_at IS NOT NULL
  AND (e.status = 'RUNNING' OR EXISTS (SELECT FROM etl.execution_fixtures f
                                       WHERE f.execution_id = e.execution_id AND f.status = 'PENDING'))
GROUP BY e.execution_id;

-- name: plan/require_checks
-- Raises when a required check of the season failed.
SELECT etl.require_chunk_checks(%(execution_id)s, %(league_id)s, %(season_id)s);

-- name: plan/run_checks
-- The quality checks of a season are made and recorded.
SELECT etl.run_chunk_checks(%(execution_id)s, %(league_id)s, %(season_id)s);

-- name: plan/reschedule
-- New times for the next reads of some fixtures. One that a batch is being stored for gets its time from that batch.
WITH free AS (
    SELECT f.id, d.next_due_at, d.due_reason
    FROM jsonb_to_recordset(%(rows)s) AS d(fixture_id bigint, was timestamptz, next_due_at timestamptz, due_reason text)
    JOIN football.fixtures f ON f.id = d.fixture_id AND f.next_due_at IS NOT DISTINCT FROM d.was
    ORDER BY f.id
    FOR UPDATE OF f SKIP LOCKED
)
UPDATE football.fixtures f SET next_due_at = free.next_due_at, due_reason = free.due_reason
FROM free WHERE f.id = free.id;

-- name: plan/skip_read
-- Fixtures that another run has read since this plan was made need no second call, unless it requested fewer includes.
-- A read whose time lies in the future was stamped by a clock that has been set back since: it does not count.
WITH skipped AS (
    UPDATE etl.execution_fixtures p
    SET status = 'UNCHANGED', done_at = %(now)s
    FROM football.fixtures f, etl.etl_executions e
    WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.status = 'PENDING'
      AND f.id = p.fixture_id AND e.execution_id = p.execution_id
      AND (f.deleted_at IS NOT NULL OR (f.last_fetched_at BETWEEN e.planned_at AND %(now)s AND f.read_includes @> %(includes)s::text[]))
    RETURNING p.fixture_id
), counted AS (
    SELECT count(*) AS n FROM skipped
), chunk AS (
    UPDATE etl.execution_chunks c
    SET processed = c.processed + n, unchanged = c.unchanged + n
    FROM counted
    WHERE n > 0 AND c.execution_id = %(execution_id)s AND c.league_id = %(league_id)s AND c.season_id = %(season_id)s
    RETURNING c.execution_id
)
UPDATE etl.etl_executions e
SET processed_fixtures = e.processed_fixtures + n, successful_fixtures = e.successful_fixtures + n
FROM chunk, counted
WHERE e.execution_id = chunk.execution_id;

-- name: plan/start_execution
-- A run begins, or begins again after a clear.
SELECT etl.start_etl_execution(%(execution_id)s, %(config)s::jsonb, %(dag_id)s, %(run_id)s);

-- name: plan/started_by
-- For which league a run was started, how and by whom.
UPDATE etl.etl_executions SET league_id = %(league_id)s, run_type = %(run_type)s, triggered_by = %(triggered_by)s
WHERE execution_id = %(execution_id)s;

-- name: plan/stop_chunk
-- A try of a season has failed.
SELECT etl.stop_chunk(%(execution_id)s, %(league_id)s, %(season_id)s);

-- name: plan/take_lease
-- Takes a chunk for this task: the fence grows, so the former owner can no longer commit. No row is returned while
-- another owner has sent a heartbeat within the timeout (seconds). Only the server's clock is compared, because the
-- clocks of the workers may differ; a heartbeat further ahead than the timeout was sent before that clock was set back.
-- Every attempt counts in the run's chunk, but not one that goes on after a wait for calls.
-- The lock waits for batches that the former owner is storing.
WITH free AS MATERIALIZED (
    SELECT league_id, season_id FROM etl.chunks
    WHERE league_id = %(league_id)s AND season_id = %(season_id)s
      AND (owner IS NULL OR owner = %(owner)s OR heartbeat_at IS NULL
           OR heartbeat_at NOT BETWEEN clock_timestamp() - make_interval(secs => %(timeout)s)
                                   AND clock_timestamp() + make_interval(secs => %(timeout)s))
    FOR UPDATE
), taken AS (
    UPDATE etl.chunks c
    SET fence = c.fence + 1, owner = %(owner)s, heartbeat_at = clock_timestamp(), status = 'RUNNING',
        last_execution_id = %(execution_id)s
    FROM free WHERE c.league_id = free.league_id AND c.season_id = free.season_id
    RETURNING c.fence
), counted AS (
    UPDATE etl.execution_chunks SET tries = tries + (NOT waiting)::integer, waiting = false
    WHERE execution_id = %(execution_id)s AND league_id = %(league_id)s AND season_id = %(season_id)s
      AND EXISTS (SELECT 1 FROM taken)
)
SELECT fence FROM taken;

-- name: plan/unfinished
-- Seasons that this run has begun and not finished: they belong to a plan made again, even with nothing left to read.
SELECT season_id FROM etl.execution_chunks
WHERE execution_id = %(execution_id)s AND league_id = %(league_id)s AND status IN ('RUNNING', 'FAILED');

-- name: plan/unread
-- Could this season's index not be read when the run began? Only the plan that follows from it answers the question: a
-- task may have been killed after it had stored the index and before it added to the plan.
SELECT c.index_failed
FROM etl.execution_chunks c
WHERE c.execution_id = %(execution_id)s AND c.league_id = %(league_id)s AND c.season_id = %(season_id)s;

-- name: plan/indexed_seasons
-- When was the index of each season of a league last read, and how often and when was it suspected since?
SELECT season_id, indexed_at, doubtful_indexes, index_suspected_at FROM etl.chunks WHERE league_id = %(league_id)s;

-- name: plan/update_chunk
-- A chunk whose index was read late: how much there is to do.
UPDATE etl.execution_chunks SET planned = %(planned)s, priority = %(priority)s, index_failed = false
WHERE execution_id = %(execution_id)s AND season_id = %(season_id)s;

-- name: plan/planned_fixtures
-- Which fixtures are in the plan of an execution already?
SELECT season_id, fixture_id FROM etl.execution_fixtures WHERE execution_id = %(execution_id)s;

-- name: plan/copy_fixtures
-- The fixtures of a plan, as one stream.
COPY etl.execution_fixtures (execution_id, league_id, season_id, fixture_id, position, reason, priority, urgent)
FROM STDIN;

-- name: plan/marked
-- How many fixtures of a chunk's plan are marked off?
SELECT count(*) FROM etl.execution_fixtures
WHERE execution_id = %(execution_id)s AND season_id = %(season_id)s AND status <> 'PENDING';
