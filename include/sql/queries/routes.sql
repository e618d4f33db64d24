-- Raw routes: a route's table, its batches and its runs.

-- name: routes/advance
-- Where the run stands, in the batch's own transaction; false = another try has taken over.
SELECT etl.advance_route_run(%(route)s, %(plan)s, %(fence)s, %(slice)s, %(state)s::jsonb, %(counters)s::jsonb);

-- name: routes/begin
-- A try begins: fence, slice, page state, counters so far, whether it goes on where another stopped.
SELECT fence, slice_index, page_state, counters, resumed
  FROM etl.begin_route_run(%(route)s, %(plan)s, %(execution)s, %(slices)s, %(date_from)s, %(date_to)s, %(force)s,
                           make_interval(secs => %(resume_seconds)s));

-- name: routes/copy
-- The rows of a batch, as one stream.
COPY route_batch (position, reference_date, request, payload, content_hash, old_hash) FROM STDIN;

-- name: routes/add_doubts
-- More reasons why listings of the run may be short, behind those of earlier batches; so many are kept.
UPDATE etl.route_progress SET doubts = (coalesce(doubts, '{}') || %(doubts)s::text[])[1:%(shown)s]
 WHERE route_name = %(route)s AND plan_hash = %(plan)s AND fence = %(fence)s;

-- name: routes/doubts
-- Why listings of the run may be short, those of its earlier tries included.
SELECT coalesce(doubts, '{}') FROM etl.route_progress
 WHERE route_name = %(route)s AND plan_hash = %(plan)s AND fence = %(fence)s;

-- name: routes/ensure_table
-- The raw table of a route, created unless it exists: its name without schema. The key paths may be null.
SELECT etl.ensure_raw_table(%(client)s, %(route)s, %(key_paths)s::text[]);

-- name: routes/deleted
-- The end of a full refresh: records that it did not bring are marked as deleted; those that came back no longer.
WITH gone AS (
    UPDATE {table} t SET deleted_at = transaction_timestamp(), updated_at = clock_timestamp()
     WHERE t.record_key IS NOT NULL AND t.deleted_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM etl.route_seen s
                        WHERE s.route_name = %(route)s AND s.plan_hash = %(plan)s AND s.record_key = t.record_key)
    RETURNING t.record_key
), back AS (
    UPDATE {table} t SET deleted_at = NULL, updated_at = clock_timestamp()
     WHERE t.deleted_at IS NOT NULL
       AND EXISTS (SELECT 1 FROM etl.route_seen s
                    WHERE s.route_name = %(route)s AND s.plan_hash = %(plan)s AND s.record_key = t.record_key)
    RETURNING t.record_key
)
SELECT (SELECT count(DISTINCT record_key) FROM gone), (SELECT count(DISTINCT record_key) FROM back);

-- name: routes/days_of_one
-- The same of one item. Each day is found by a probe of the index, so that the records of a day are not read.
WITH RECURSIVE found AS (
    (SELECT t.reference_date AS day FROM {table} t
      WHERE t.reference_date BETWEEN %(first)s AND %(last)s AND t.request = (%(items)s::jsonb -> 0)
      ORDER BY t.reference_date LIMIT 1)
    UNION ALL
    SELECT n.day FROM found f
     CROSS JOIN LATERAL (SELECT t.reference_date AS day FROM {table} t
                          WHERE t.reference_date > f.day AND t.reference_date <= %(last)s AND t.request = (%(items)s::jsonb -> 0)
                          ORDER BY t.reference_date LIMIT 1) n
)
SELECT %(items)s::jsonb -> 0, coalesce(array_agg(day), '{{}}') FROM found;

-- name: routes/days
-- The days of a period that have records, by the item of for_each (an empty object without it).
SELECT d.request, array_agg(d.reference_date)
  FROM (SELECT DISTINCT request, reference_date FROM {table}
         WHERE reference_date BETWEEN %(first)s AND %(last)s
           AND request IN (SELECT i.item FROM jsonb_array_elements(%(items)s::jsonb) AS i (item))) d
 GROUP BY d.request;

-- name: routes/suspected
-- The empty listings that earlier runs suspected, as the newest success left them; null where it left none.
SELECT etl.collector_watermark(%(route)s) -> 'empty';

-- name: routes/exists
-- Whether there is such a table or view.
SELECT to_regclass(%(name)s) IS NOT NULL;

-- name: routes/finish
-- The end of a try, with its collector's row; false = another try has taken over.
SELECT etl.finish_route_run(%(route)s, %(plan)s, %(fence)s, %(status)s, %(counters)s::jsonb, %(watermark)s::jsonb, %(error)s);

-- name: routes/filled_runs
-- Of so many newest days with successes before a time (null: until now): on how many each of them brought records, and
-- how many days there are. Days, and not runs: what runs each hour may have nothing in every night.
SELECT count(*) FILTER (WHERE d.filled), count(*)
  FROM (SELECT bool_and(r.records_processed > 0) AS filled
          FROM (SELECT records_processed, completed_at FROM etl.collector_runs
                 WHERE collector_name = %(route)s AND status = 'success'
                   AND (%(before)s::timestamptz IS NULL OR completed_at < %(before)s::timestamptz)
                 ORDER BY completed_at DESC LIMIT 20000) r
         GROUP BY (r.completed_at AT TIME ZONE 'UTC')::date
         ORDER BY (r.completed_at AT TIME ZONE 'UTC')::date DESC LIMIT %(days)s) d;

-- name: routes/items
-- The distinct values of the newest records that another route has one listing for each of; one without a value gives none.
SELECT DISTINCT w.item
  FROM {table} t
 CROSS JOIN LATERAL (SELECT jsonb_object_agg(r.name, v.value) AS item, bool_and(v.value <> '') AS complete
                       FROM jsonb_to_recordset(%(wanted)s::jsonb) AS r (name text, path jsonpath)
                      CROSS JOIN LATERAL (SELECT jsonb_path_query_first(t.payload, r.path, silent => true) #>> '{{}}') AS v (value)) w
 WHERE w.complete
 ORDER BY w.item;

-- name: routes/keep_items
-- What the run has one listing for each of, for its next try.
UPDATE etl.route_progress SET items = %(items)s::jsonb
 WHERE route_name = %(route)s AND plan_hash = %(plan)s AND fence = %(fence)s;

-- name: routes/kept_items
-- The same of the newest unfinished try of an execution.
SELECT items FROM etl.route_progress
 WHERE route_name = %(route)s AND execution_id = %(execution)s AND status <> 'DONE' AND items IS NOT NULL
 ORDER BY updated_at DESC LIMIT 1;

-- name: routes/living
-- How many records each item of for_each had in the last complete refresh.
SELECT request, count(*) FROM {table}
 WHERE deleted_at IS NULL AND request IN (SELECT i.item FROM jsonb_array_elements(%(items)s::jsonb) AS i (item))
 GROUP BY request;

-- name: routes/present
-- The windows, by their place in a list, that hold a record of which no newer version has moved to another day. Written
-- so that both are found through indexes: as joins, all records of the table would be compared with all.
SELECT w.place FROM jsonb_to_recordset(%(windows)s::jsonb) AS w (place integer, first date, last date, item jsonb)
 CROSS JOIN LATERAL (SELECT 1 FROM {table} t
                      WHERE t.reference_date BETWEEN w.first AND w.last AND t.request = w.item
                        AND (t.record_key IS NULL
                             OR t.id = (SELECT n.id FROM {table} n WHERE n.record_key = t.record_key
                                         ORDER BY n.collected_at DESC, n.id DESC LIMIT 1))
                      ORDER BY t.reference_date LIMIT 1) found;

-- name: routes/rehash
-- Contents that version 0.1 stored under a hash of rounded numbers get their present hash; they are no news. Fields that
-- the hash leaves out may differ: without holds their paths, or is null.
UPDATE {table} t SET content_hash = b.content_hash
  FROM (SELECT DISTINCT ON (old_hash) * FROM pg_temp.route_batch WHERE old_hash IS NOT NULL ORDER BY old_hash, position) b
 WHERE t.content_hash = b.old_hash AND t.request = b.request
   AND CASE WHEN %(without)s::jsonb IS NULL THEN t.payload = b.payload
            ELSE etl.without_paths(t.payload, %(without)s) = etl.without_paths(b.payload, %(without)s) END
   AND NOT EXISTS (SELECT 1 FROM {table} n WHERE n.content_hash = b.content_hash);

-- name: routes/reject
-- A record that cannot be stored.
INSERT INTO etl.route_rejects (route_name, execution_id, reason, record, record_md5)
VALUES (%(route)s, %(execution)s, %(reason)s, left(%(record)s, 20000), md5(%(record)s))
ON CONFLICT (route_name, record_md5) DO NOTHING;

-- name: routes/revive
-- Contents that came back after another version of the same record: they are the newest again.
WITH batch AS (
    SELECT content_hash, transaction_timestamp() + max(position) * interval '1 microsecond' AS seen_at
      FROM pg_temp.route_batch GROUP BY content_hash
)
UPDATE {table} t SET collected_at = b.seen_at, updated_at = clock_timestamp()
  FROM batch b
 WHERE t.content_hash = b.content_hash AND t.collected_at < b.seen_at AND t.record_key IS NOT NULL
   AND EXISTS (SELECT 1 FROM {table} n
                WHERE n.record_key = t.record_key AND n.collected_at > t.collected_at AND n.collected_at < b.seen_at);

-- name: routes/seen
-- The keys of a batch, for the end of a full refresh.
INSERT INTO etl.route_seen (route_name, plan_hash, record_key)
SELECT DISTINCT %(route)s, %(plan)s, t.record_key
  FROM {table} t JOIN pg_temp.route_batch b USING (content_hash) WHERE t.record_key IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: routes/shape
-- The view of the newest records, with typed columns and without deleted records.
SELECT etl.shape_raw_table(%(table)s, %(columns)s::jsonb, %(replaces)s);

-- name: routes/stage
-- One batch on its way into a raw table.
CREATE TEMPORARY TABLE route_batch (
    position integer, reference_date date, request jsonb, payload jsonb, content_hash bytea, old_hash bytea
) ON COMMIT DROP;

-- name: routes/status
-- Every raw route with its table and its newest run.
SELECT client, route, table_name, estimated_rows, bytes, status, completed_at, records_processed, collected_to, error_message,
       ended_by, unproven, doubts
  FROM etl.raw_route_status;

-- name: routes/forget_seen
-- A full refresh has ended.
DELETE FROM etl.route_seen WHERE route_name = %(route)s;

-- name: routes/store
-- Contents that are new: their number. A content that comes twice in the batch counts where it came last.
-- Positions make collected_at rise within a batch, so that the newest version of a record is always one.
WITH batch AS (
    SELECT DISTINCT ON (content_hash) * FROM pg_temp.route_batch ORDER BY content_hash, position DESC
), stored AS (
    INSERT INTO {table} (collected_at, reference_date, request, payload, content_hash)
    SELECT transaction_timestamp() + position * interval '1 microsecond', reference_date, request, payload, content_hash
      FROM batch ORDER BY position
    ON CONFLICT (content_hash) DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM stored;

-- name: routes/watermark
-- The last day that the route has collected without a gap.
SELECT (etl.collector_watermark(%(route)s) ->> 'date_to')::date;
