-- Runs of collectors: the usual questions.

-- The newest runs of all collectors; run_number 1 = the newest of its collector.
CREATE OR REPLACE VIEW etl.collector_last_runs AS
SELECT collector_name, status, records_processed, records_inserted, records_updated, records_unchanged, records_failed,
       coalesce(completed_at, clock_timestamp()) - started_at AS duration, started_at, completed_at, watermark, error_message,
       execution_id, run_id, row_number() OVER (PARTITION BY collector_name ORDER BY started_at DESC, run_id DESC) AS run_number
FROM etl.collector_runs
ORDER BY coalesce(completed_at, 'infinity') DESC, run_id DESC;

-- Collectors that failed at least once; failing_now = their newest finished run failed.
CREATE OR REPLACE VIEW etl.collectors_with_errors AS
SELECT collector_name,
       count(*) FILTER (WHERE status = 'failed') AS failures,
       count(*) FILTER (WHERE status = 'success') AS successes,
       max(completed_at) AS last_run,
       max(completed_at) FILTER (WHERE status = 'success') AS last_success,
       max(completed_at) FILTER (WHERE status = 'failed') AS last_failure,
       (array_agg(error_message ORDER BY completed_at DESC) FILTER (WHERE status = 'failed'))[1] AS last_error,
       (array_agg(status ORDER BY completed_at DESC) FILTER (WHERE status <> 'running'))[1] = 'failed' AS failing_now
FROM etl.collector_runs
GROUP BY collector_name
HAVING count(*) FILTER (WHERE status = 'failed') > 0
ORDER BY failing_now DESC, last_failure DESC;

-- Throughput of the successful runs, slowest collector first; the first (full) run against the later (incremental) ones.
CREATE OR REPLACE VIEW etl.collector_throughput AS
WITH runs AS (
    SELECT collector_name, records_processed, extract(epoch FROM completed_at - started_at) AS seconds,
           row_number() OVER (PARTITION BY collector_name ORDER BY started_at, run_id) AS nth
    FROM etl.collector_runs WHERE status = 'success'
)
SELECT collector_name, count(*) AS runs,
       round(avg(records_processed)) AS avg_records,
       round(avg(seconds), 3) AS avg_seconds,
       round(sum(records_processed) / nullif(sum(seconds), 0), 1) AS records_per_second,
       max(records_processed) FILTER (WHERE nth = 1) AS first_records,
       round(max(seconds) FILTER (WHERE nth = 1), 3) AS first_seconds,
       round(avg(records_processed) FILTER (WHERE nth > 1)) AS later_avg_records,
       round(avg(seconds) FILTER (WHERE nth > 1), 3) AS later_avg_seconds,
       round(100 * (1 - avg(records_processed) FILTER (WHERE nth > 1)
                        / nullif(max(records_processed) FILTER (WHERE nth = 1), 0)), 1) AS records_saved_percent
FROM runs
GROUP BY collector_name
ORDER BY avg(seconds) DESC;
