-- Runs of collectors: etl.collector_runs and etl.collector_periods.

-- name: collector/finish
-- A run ends: does it still belong to this try? The watermark is JSON text or null, the error text or null.
SELECT etl.finish_collector_run(%(run_id)s, %(status)s, %(processed)s, %(inserted)s, %(updated)s, %(unchanged)s,
                                %(failed)s, %(watermark)s::jsonb, %(error)s);

-- name: collector/periods
-- Periods (years, seasons) that a run fetched to their end; without a time it is now.
SELECT etl.mark_collector_periods(%(name)s, %(periods)s::text[], coalesce(%(now)s::timestamptz, clock_timestamp()));

-- name: collector/empty_answer
-- A period was answered with nothing: how often in a row by now? Answers within an hour count as one.
INSERT INTO etl.collector_empty_periods AS p (collector_name, period, answered_at)
VALUES (%(name)s, %(period)s, %(now)s)
ON CONFLICT (collector_name, period) DO UPDATE
SET answers = p.answers + (p.answered_at NOT BETWEEN excluded.answered_at - interval '1 hour' AND excluded.answered_at)::integer,
    answered_at = CASE WHEN p.answered_at BETWEEN excluded.answered_at - interval '1 hour' AND excluded.answered_at
                       THEN p.answered_at ELSE excluded.answered_at END
RETURNING answers;

-- name: collector/empty_answers
-- Periods that were answered with nothing: how often in a row, and when last.
SELECT period, answers, answered_at FROM etl.collector_empty_periods WHERE collector_name = %(name)s;

-- name: collector/not_empty
-- A period was answered with something, or its emptiness is believed.
DELETE FROM etl.collector_empty_periods WHERE collector_name = %(name)s AND period = %(period)s;

-- name: collector/progress
-- Figures of a run that goes on; no row when it has ended.
UPDATE etl.collector_runs
SET records_processed = %(processed)s, records_inserted = %(inserted)s, records_updated = %(updated)s,
    records_unchanged = %(unchanged)s, records_failed = %(failed)s, updated_at = clock_timestamp()
WHERE run_id = %(run_id)s AND status = 'running'
RETURNING run_id;

-- name: collector/start
-- A run begins: its number. The execution_id may be null.
SELECT etl.record_collector_run(p_collector_name => %(name)s, p_execution_id => %(execution_id)s, p_status => 'running');

-- name: collector/state
-- What earlier runs left: end of the last success, its watermark, parts fetched with their times (epoch seconds).
SELECT etl.collector_last_success(%(name)s), etl.collector_watermark(%(name)s)::text,
       (SELECT coalesce(jsonb_object_agg(period, extract(epoch FROM fetched_at)), '{}')::text
          FROM etl.collector_periods WHERE collector_name = %(name)s);
