-- Comments of the schema etl: what every table, column, view and function is, in plain words, with units.

-- Only the schema's owner may comment on it; it may have been made by another account.
DO $$
BEGIN
    IF pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = 'etl'), 'USAGE') THEN
        COMMENT ON SCHEMA etl IS
            'How the data came: runs, plans, the budget of API calls, logs, metrics, alerts, raw routes. Written by the tasks.';
    END IF;
END $$;

COMMENT ON TABLE etl.api_budget IS
    'One row per connection and entity of the API (Fixture, Team ...): how many calls its present hour has left.';
COMMENT ON COLUMN etl.api_budget.connection IS 'Airflow connection id of the API.';
COMMENT ON COLUMN etl.api_budget.entity IS 'Entity whose calls are counted together, as the API names it.';
COMMENT ON COLUMN etl.api_budget.answers_as IS
    'The API counts this entity''s calls under that other entity; the figures are in its row.';
COMMENT ON COLUMN etl.api_budget.window_no IS
    'Running number of the window (an hour, as a rule) that the figures belong to.';
COMMENT ON COLUMN etl.api_budget.window_taken IS 'Calls taken by all tasks in the present window.';
COMMENT ON COLUMN etl.api_budget.call_limit IS
    'Calls per window that the API allows, as it reported last; NULL while unknown.';
COMMENT ON COLUMN etl.api_budget.remaining IS 'Calls left in the window; NULL while unknown.';
COMMENT ON COLUMN etl.api_budget.resets_at IS 'When the window ends and all calls are there again.';
COMMENT ON COLUMN etl.api_budget.estimated IS
    'The API reports no figures; they are this package''s own count against an assumed limit.';
COMMENT ON COLUMN etl.api_budget.probing_until IS
    'Until then one call is out to learn the figures, and all others wait for it.';
COMMENT ON COLUMN etl.api_budget.blocked_until IS 'No call before that time: the API answered 429.';
COMMENT ON COLUMN etl.api_budget.limited_streak IS 'Answers 429 in a row since the last good one.';
COMMENT ON COLUMN etl.api_budget.taken_total IS 'Calls ever taken.';
COMMENT ON COLUMN etl.api_budget.refused_total IS 'Calls ever refused by the budget, so never made.';
COMMENT ON COLUMN etl.api_budget.rate_limited_total IS 'Answers 429 ever received.';
COMMENT ON COLUMN etl.api_budget.created_at IS 'When the row was created.';
COMMENT ON COLUMN etl.api_budget.updated_at IS 'When the row was changed last.';
COMMENT ON COLUMN etl.api_budget.resets_within IS 'Seconds that resets_at lay ahead when it was set.';
COMMENT ON COLUMN etl.api_budget.blocked_within IS 'Seconds that blocked_until lay ahead when it was set.';

COMMENT ON VIEW etl.api_budget_now IS
    'The budget as it is now, for people and gauges: figures of a window that is over are NULL.';
COMMENT ON COLUMN etl.api_budget_now.connection IS 'Airflow connection id of the API.';
COMMENT ON COLUMN etl.api_budget_now.entity IS 'Entity whose calls are counted together.';
COMMENT ON COLUMN etl.api_budget_now.call_limit IS
    'Calls per window that the API allows; NULL for an API without a limit.';
COMMENT ON COLUMN etl.api_budget_now.remaining IS 'Calls left in the present window; NULL when unknown.';
COMMENT ON COLUMN etl.api_budget_now.resets_at IS 'When the window ends; NULL when none is open.';
COMMENT ON COLUMN etl.api_budget_now.blocked_until IS 'No call before that time; NULL when calls are allowed.';
COMMENT ON COLUMN etl.api_budget_now.circuit IS
    'CLOSED: calls are made. OPEN: they rest after repeated failures. HALF_OPEN: one call tries.';
COMMENT ON COLUMN etl.api_budget_now.circuit_until IS 'When the rest of the circuit ends.';
COMMENT ON COLUMN etl.api_budget_now.estimated IS 'The API reports no figures; they are this package''s own count.';
COMMENT ON COLUMN etl.api_budget_now.taken_total IS 'Calls ever taken.';
COMMENT ON COLUMN etl.api_budget_now.refused_total IS 'Calls ever refused by the budget, so never made.';
COMMENT ON COLUMN etl.api_budget_now.rate_limited_total IS 'Answers 429 ever received.';
COMMENT ON COLUMN etl.api_budget_now.updated_at IS 'When the row was changed last.';

COMMENT ON TABLE etl.api_circuit IS
    'One row per connection: whether calls rest because the API keeps failing. CLOSED, OPEN, HALF_OPEN.';
COMMENT ON COLUMN etl.api_circuit.connection IS 'Airflow connection id of the API.';
COMMENT ON COLUMN etl.api_circuit.state IS 'CLOSED: calls are made. OPEN: they rest. HALF_OPEN: one call tries.';
COMMENT ON COLUMN etl.api_circuit.failures IS 'Failed calls in a row while CLOSED.';
COMMENT ON COLUMN etl.api_circuit.first_failure_at IS 'First failure of the present row of failures.';
COMMENT ON COLUMN etl.api_circuit.open_seconds IS
    'Length of the present rest in seconds; it doubles with each failed attempt.';
COMMENT ON COLUMN etl.api_circuit.open_until IS 'When the rest ends.';
COMMENT ON COLUMN etl.api_circuit.probing_until IS 'Until then one call is out to see whether the API is back.';
COMMENT ON COLUMN etl.api_circuit.opened_total IS 'How often calls were stopped.';
COMMENT ON COLUMN etl.api_circuit.updated_at IS 'When the row was changed last.';

COMMENT ON TABLE etl.api_source IS 'One row: the API that this warehouse was filled from. Another one is refused.';
COMMENT ON COLUMN etl.api_source.only_row IS 'Always true: keeps the table at one row.';
COMMENT ON COLUMN etl.api_source.source IS 'Host and path of the API, or sandbox; never a key.';
COMMENT ON COLUMN etl.api_source.adopted_at IS 'When the warehouse was claimed for it.';

COMMENT ON TABLE etl.applied_definitions IS
    'Files of functions, views and comments that were applied, so that each is applied again when it changes.';
COMMENT ON COLUMN etl.applied_definitions.name IS 'Folder and name of the file, without .sql.';
COMMENT ON COLUMN etl.applied_definitions.sha256 IS 'SHA-256 of its content, hexadecimal.';
COMMENT ON COLUMN etl.applied_definitions.applied_at IS 'When it was applied last.';

COMMENT ON TABLE etl.check_results IS 'Results of the quality checks of a season in a run.';
COMMENT ON COLUMN etl.check_results.execution_id IS 'Run; see etl.etl_executions.';
COMMENT ON COLUMN etl.check_results.chunk_id IS 'League id and season id, joined by an underscore.';
COMMENT ON COLUMN etl.check_results.name IS 'Name of the check.';
COMMENT ON COLUMN etl.check_results.required IS
    'A failure of it fails the season in this run; otherwise it is only recorded.';
COMMENT ON COLUMN etl.check_results.success IS 'Whether the check passed.';
COMMENT ON COLUMN etl.check_results.notes IS 'What was counted, for people.';
COMMENT ON COLUMN etl.check_results.checked_at IS 'When it was checked.';

COMMENT ON VIEW etl.check_trends IS
    'Quality checks over the runs of a season: the newest result of each, since when it fails, how often it failed.';
COMMENT ON COLUMN etl.check_trends.chunk_id IS 'League id and season id, joined by an underscore.';
COMMENT ON COLUMN etl.check_trends.name IS 'Name of the check.';
COMMENT ON COLUMN etl.check_trends.required IS
    'A failure of it fails the season in this run; otherwise it is only recorded.';
COMMENT ON COLUMN etl.check_trends.success IS 'The newest result: whether it passed.';
COMMENT ON COLUMN etl.check_trends.notes IS 'What was counted by the newest, for people.';
COMMENT ON COLUMN etl.check_trends.checked_at IS 'When it was checked last.';
COMMENT ON COLUMN etl.check_trends.failing_since IS 'First failure in a row up to now; NULL when the newest passed.';
COMMENT ON COLUMN etl.check_trends.runs IS 'Runs in which it was checked.';
COMMENT ON COLUMN etl.check_trends.failures IS 'Runs in which it failed.';
COMMENT ON COLUMN etl.check_trends.previous_success IS 'The result before the newest.';
COMMENT ON COLUMN etl.check_trends.previous_notes IS 'What was counted before.';

COMMENT ON TABLE etl.chunks IS
    'State of a league and season (a chunk) over all runs. PENDING, RUNNING, COMPLETED, FAILED, SKIPPED.';
COMMENT ON COLUMN etl.chunks.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN etl.chunks.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN etl.chunks.chunk_id IS 'League id and season id, joined by an underscore.';
COMMENT ON COLUMN etl.chunks.league_name IS 'Name of the league when it was planned last.';
COMMENT ON COLUMN etl.chunks.season_name IS 'Name of the season when it was planned last.';
COMMENT ON COLUMN etl.chunks.status IS
    'Outcome of the last run of this season: PENDING, RUNNING, COMPLETED, FAILED or SKIPPED (nothing was due).';
COMMENT ON COLUMN etl.chunks.total_fixtures IS 'Fixtures of the season, without deleted and replaced ones.';
COMMENT ON COLUMN etl.chunks.collected_fixtures IS 'Fixtures that have been read and stored.';
COMMENT ON COLUMN etl.chunks.settled_fixtures IS 'Stored fixtures that need no reading within the next 60 days.';
COMMENT ON COLUMN etl.chunks.due_fixtures IS
    'Fixtures that were due when this was counted; football.fixture_schedule has the present answer.';
COMMENT ON COLUMN etl.chunks.failed_fixtures IS 'Fixtures that could not be read or were not returned.';
COMMENT ON COLUMN etl.chunks.priority IS 'Order among the seasons; smaller is earlier.';
COMMENT ON COLUMN etl.chunks.fence IS 'Grows with every new owner, so that an older one cannot write any more.';
COMMENT ON COLUMN etl.chunks.owner IS 'Task that works on the season now.';
COMMENT ON COLUMN etl.chunks.heartbeat_at IS 'Last sign of life of the owner.';
COMMENT ON COLUMN etl.chunks.last_execution_id IS 'Newest run that worked on it.';
COMMENT ON COLUMN etl.chunks.last_collected_at IS 'End of the last run that was completed.';
COMMENT ON COLUMN etl.chunks.indexed_at IS 'Last complete reading of the season''s list of fixtures.';
COMMENT ON COLUMN etl.chunks.error_message IS 'Why its list of fixtures could not be read, or its last run failed.';
COMMENT ON COLUMN etl.chunks.created_at IS 'When the row was created.';
COMMENT ON COLUMN etl.chunks.updated_at IS 'When the row was changed last.';
COMMENT ON COLUMN etl.chunks.doubtful_indexes IS
    'Lists in a row that lacked so many known fixtures that they were not believed.';
COMMENT ON COLUMN etl.chunks.deactivated_at IS
    'Not followed since; it is neither due nor out of date, and keeps its rows.';
COMMENT ON COLUMN etl.chunks.index_suspected_at IS 'When the newest list that was not believed was read.';
COMMENT ON COLUMN etl.chunks.index_odd_rows IS
    'Rows of the last believed list that were left out: without an id, not storable, of another season or league.';

COMMENT ON TABLE etl.collector_empty_periods IS
    'Empty answers in a row for a year or season of a collector; believed only after several.';
COMMENT ON COLUMN etl.collector_empty_periods.collector_name IS 'Name of the collector.';
COMMENT ON COLUMN etl.collector_empty_periods.period IS 'Year or season, as the collector names it.';
COMMENT ON COLUMN etl.collector_empty_periods.answers IS 'Empty answers in a row.';
COMMENT ON COLUMN etl.collector_empty_periods.answered_at IS 'When the newest came.';

COMMENT ON VIEW etl.collector_last_runs IS
    'The newest runs of all collectors; run_number 1 is the newest of its collector.';
COMMENT ON COLUMN etl.collector_last_runs.collector_name IS 'Name of the collector.';
COMMENT ON COLUMN etl.collector_last_runs.status IS 'running, success or failed.';
COMMENT ON COLUMN etl.collector_last_runs.records_processed IS 'Records read.';
COMMENT ON COLUMN etl.collector_last_runs.records_inserted IS 'Records that were new.';
COMMENT ON COLUMN etl.collector_last_runs.records_updated IS 'Records that were changed.';
COMMENT ON COLUMN etl.collector_last_runs.records_unchanged IS 'Records that were the same as stored.';
COMMENT ON COLUMN etl.collector_last_runs.records_failed IS 'Records that could not be stored.';
COMMENT ON COLUMN etl.collector_last_runs.duration IS 'Length of the run; of a running one, so far.';
COMMENT ON COLUMN etl.collector_last_runs.started_at IS 'When it began.';
COMMENT ON COLUMN etl.collector_last_runs.completed_at IS 'When it ended; NULL while it runs.';
COMMENT ON COLUMN etl.collector_last_runs.watermark IS
    'Up to where the data are complete after this run, in the collector''s own form.';
COMMENT ON COLUMN etl.collector_last_runs.error_message IS 'Why it failed; NULL when it did not.';
COMMENT ON COLUMN etl.collector_last_runs.execution_id IS 'Run; see etl.etl_executions.';
COMMENT ON COLUMN etl.collector_last_runs.run_id IS 'Number of the run.';
COMMENT ON COLUMN etl.collector_last_runs.run_number IS
    '1 for the newest run of the collector, 2 for the one before it, and so on.';

COMMENT ON TABLE etl.collector_periods IS
    'When a collector last read a year or season (or another part of its data) to its end.';
COMMENT ON COLUMN etl.collector_periods.collector_name IS 'Name of the collector.';
COMMENT ON COLUMN etl.collector_periods.period IS 'Year or season, as the collector names it.';
COMMENT ON COLUMN etl.collector_periods.fetched_at IS 'When it was read to its end.';

COMMENT ON TABLE etl.collector_runs IS
    'Every run of every collector: seasons, reference lists, raw routes and collectors of one''s own.';
COMMENT ON COLUMN etl.collector_runs.run_id IS 'Number of the run.';
COMMENT ON COLUMN etl.collector_runs.collector_name IS 'Name of the collector.';
COMMENT ON COLUMN etl.collector_runs.status IS 'running, success or failed.';
COMMENT ON COLUMN etl.collector_runs.started_at IS 'When it began.';
COMMENT ON COLUMN etl.collector_runs.completed_at IS 'When it ended; NULL while it runs.';
COMMENT ON COLUMN etl.collector_runs.records_processed IS 'Records read.';
COMMENT ON COLUMN etl.collector_runs.records_inserted IS 'Records that were new.';
COMMENT ON COLUMN etl.collector_runs.records_updated IS 'Records that were changed.';
COMMENT ON COLUMN etl.collector_runs.records_unchanged IS 'Records that were the same as stored.';
COMMENT ON COLUMN etl.collector_runs.records_failed IS 'Records that could not be stored.';
COMMENT ON COLUMN etl.collector_runs.watermark IS
    'Up to where the data are complete after this run, in the collector''s own form.';
COMMENT ON COLUMN etl.collector_runs.execution_id IS 'Run; see etl.etl_executions.';
COMMENT ON COLUMN etl.collector_runs.error_message IS 'Why it failed; NULL when it did not.';
COMMENT ON COLUMN etl.collector_runs.created_at IS 'When the row was created.';
COMMENT ON COLUMN etl.collector_runs.updated_at IS 'When the row was changed last.';
COMMENT ON COLUMN etl.collector_runs.api_calls IS 'HTTP calls, failed ones included.';
COMMENT ON COLUMN etl.collector_runs.failed_calls IS 'HTTP calls without a usable answer.';
COMMENT ON COLUMN etl.collector_runs.bytes IS 'Bytes of the answers'' bodies, uncompressed.';

COMMENT ON VIEW etl.collector_throughput IS
    'Speed of the successful runs of each collector; the first (complete) run against later (incremental) ones.';
COMMENT ON COLUMN etl.collector_throughput.collector_name IS 'Name of the collector.';
COMMENT ON COLUMN etl.collector_throughput.runs IS 'Successful runs.';
COMMENT ON COLUMN etl.collector_throughput.avg_records IS 'Records per run, on average.';
COMMENT ON COLUMN etl.collector_throughput.avg_seconds IS 'Length of a run in seconds, on average.';
COMMENT ON COLUMN etl.collector_throughput.records_per_second IS 'Records per second over all runs.';
COMMENT ON COLUMN etl.collector_throughput.first_records IS 'Records of the first run.';
COMMENT ON COLUMN etl.collector_throughput.first_seconds IS 'Length of the first run in seconds.';
COMMENT ON COLUMN etl.collector_throughput.later_avg_records IS 'Records per later run, on average.';
COMMENT ON COLUMN etl.collector_throughput.later_avg_seconds IS 'Length of a later run in seconds, on average.';
COMMENT ON COLUMN etl.collector_throughput.records_saved_percent IS
    'Per cent of the first run''s records that a later run does not need to read.';

COMMENT ON VIEW etl.collectors_with_errors IS 'Collectors that failed at least once.';
COMMENT ON COLUMN etl.collectors_with_errors.collector_name IS 'Name of the collector.';
COMMENT ON COLUMN etl.collectors_with_errors.failures IS 'Failed runs.';
COMMENT ON COLUMN etl.collectors_with_errors.successes IS 'Successful runs.';
COMMENT ON COLUMN etl.collectors_with_errors.last_run IS 'End of the newest run.';
COMMENT ON COLUMN etl.collectors_with_errors.last_success IS 'End of the newest successful run.';
COMMENT ON COLUMN etl.collectors_with_errors.last_failure IS 'End of the newest failed run.';
COMMENT ON COLUMN etl.collectors_with_errors.last_error IS 'Error of the newest failed run.';
COMMENT ON COLUMN etl.collectors_with_errors.failing_now IS 'The newest finished run failed.';

COMMENT ON TABLE etl.etl_alerts IS
    'Alerts. OPEN, ACKNOWLEDGED, RESOLVED; at most one that is not resolved per dedupe_key.';
COMMENT ON COLUMN etl.etl_alerts.alert_id IS 'Number of the alert.';
COMMENT ON COLUMN etl.etl_alerts.dedupe_key IS 'What it is about; the same condition has the same key.';
COMMENT ON COLUMN etl.etl_alerts.kind IS 'Rule that found it, such as STALE_LEAGUE.';
COMMENT ON COLUMN etl.etl_alerts.severity IS 'INFO, WARNING or CRITICAL.';
COMMENT ON COLUMN etl.etl_alerts.status IS 'OPEN, ACKNOWLEDGED (somebody looks after it) or RESOLVED.';
COMMENT ON COLUMN etl.etl_alerts.subject IS 'What it is about, in a few words.';
COMMENT ON COLUMN etl.etl_alerts.message IS 'What was found, in a sentence.';
COMMENT ON COLUMN etl.etl_alerts.hint IS 'What to do about it.';
COMMENT ON COLUMN etl.etl_alerts.details IS 'Figures and ids for programs.';
COMMENT ON COLUMN etl.etl_alerts.execution_id IS 'Run that it is about, if it is about one.';
COMMENT ON COLUMN etl.etl_alerts.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN etl.etl_alerts.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN etl.etl_alerts.opened_at IS 'When it was found first.';
COMMENT ON COLUMN etl.etl_alerts.last_seen_at IS 'When it was found last.';
COMMENT ON COLUMN etl.etl_alerts.seen_count IS 'How often it was found.';
COMMENT ON COLUMN etl.etl_alerts.acknowledged_at IS 'When somebody acknowledged it.';
COMMENT ON COLUMN etl.etl_alerts.acknowledged_by IS 'Who acknowledged it.';
COMMENT ON COLUMN etl.etl_alerts.resolved_at IS 'When it was over.';
COMMENT ON COLUMN etl.etl_alerts.notified_at IS 'When its notification was sent.';
COMMENT ON COLUMN etl.etl_alerts.notify_claimed_at IS
    'When a task began to send the notification; free for another after ten minutes.';
COMMENT ON COLUMN etl.etl_alerts.notify_attempts IS 'Attempts to send the notification.';

COMMENT ON TABLE etl.etl_executions IS
    'One row per DAG run of a league. RUNNING, COMPLETED, FAILED, CANCELLED; a cleared task takes it back to RUNNING.';
COMMENT ON COLUMN etl.etl_executions.execution_id IS 'Name of the run, made from its DAG and its run id.';
COMMENT ON COLUMN etl.etl_executions.dag_id IS 'DAG of the run.';
COMMENT ON COLUMN etl.etl_executions.run_id IS 'Airflow''s id of the run.';
COMMENT ON COLUMN etl.etl_executions.status IS 'RUNNING, COMPLETED, FAILED or CANCELLED.';
COMMENT ON COLUMN etl.etl_executions.started_at IS 'When it began.';
COMMENT ON COLUMN etl.etl_executions.finished_at IS 'When it ended; NULL while it runs.';
COMMENT ON COLUMN etl.etl_executions.first_finished_at IS
    'When it was finished first; stays when a cleared task takes it back to RUNNING.';
COMMENT ON COLUMN etl.etl_executions.planned_at IS 'When its plan was stored; NULL if it has not come that far.';
COMMENT ON COLUMN etl.etl_executions.heartbeat_at IS 'Last sign of life.';
COMMENT ON COLUMN etl.etl_executions.total_fixtures IS 'Fixtures in the plan.';
COMMENT ON COLUMN etl.etl_executions.processed_fixtures IS 'Fixtures that were requested so far.';
COMMENT ON COLUMN etl.etl_executions.successful_fixtures IS 'Fixtures that were stored or found unchanged.';
COMMENT ON COLUMN etl.etl_executions.failed_fixtures IS 'Fixtures that could not be read.';
COMMENT ON COLUMN etl.etl_executions.total_chunks IS 'Seasons in the plan.';
COMMENT ON COLUMN etl.etl_executions.processed_chunks IS 'Seasons that are finished.';
COMMENT ON COLUMN etl.etl_executions.duration_seconds IS 'Length of the run in seconds, without the time between an end and a clear.';
COMMENT ON COLUMN etl.etl_executions.idle_seconds IS 'Time between an end and the next start, where the run was cleared, in seconds.';
COMMENT ON COLUMN etl.etl_executions.error_message IS 'Why it failed.';
COMMENT ON COLUMN etl.etl_executions.config IS 'Settings of the run.';
COMMENT ON COLUMN etl.etl_executions.estimate IS 'Estimated cost of the plan: fixtures by reason, API calls, minutes.';
COMMENT ON COLUMN etl.etl_executions.created_at IS 'When the row was created.';
COMMENT ON COLUMN etl.etl_executions.updated_at IS 'When the row was changed last.';
COMMENT ON COLUMN etl.etl_executions.api_calls IS 'HTTP calls, failed ones included.';
COMMENT ON COLUMN etl.etl_executions.failed_calls IS 'HTTP calls without a usable answer.';
COMMENT ON COLUMN etl.etl_executions.bytes IS 'Bytes of the answers'' bodies, uncompressed.';
COMMENT ON COLUMN etl.etl_executions.missing_fixtures IS 'Fixtures that were requested and not returned.';
COMMENT ON COLUMN etl.etl_executions.league_id IS 'League whose DAG ran; see football.leagues.';
COMMENT ON COLUMN etl.etl_executions.run_type IS
    'Airflow''s type of the DAG run: scheduled, manual, backfill, asset_triggered; NULL in runs from before this was stored.';
COMMENT ON COLUMN etl.etl_executions.triggered_by IS 'User who triggered the DAG run, where Airflow knows one.';
COMMENT ON COLUMN etl.etl_executions.attempts IS '1, and one more for each time it was cleared and started again after its end.';

COMMENT ON TABLE etl.etl_logs IS 'Log lines of all runs. Rows are only added.';
COMMENT ON COLUMN etl.etl_logs.log_id IS 'Number of the line.';
COMMENT ON COLUMN etl.etl_logs."timestamp" IS 'When it happened.';
COMMENT ON COLUMN etl.etl_logs.level IS 'DEBUG, INFO, WARNING, ERROR or CRITICAL.';
COMMENT ON COLUMN etl.etl_logs.component IS 'Part of the system that wrote it.';
COMMENT ON COLUMN etl.etl_logs.message IS 'What happened.';
COMMENT ON COLUMN etl.etl_logs.details IS 'Figures and ids.';
COMMENT ON COLUMN etl.etl_logs.execution_id IS 'Run; see etl.etl_executions.';
COMMENT ON COLUMN etl.etl_logs.chunk_id IS 'League id and season id, joined by an underscore, if it is about one.';
COMMENT ON COLUMN etl.etl_logs.fixture_id IS 'Fixture, if it is about one.';
COMMENT ON COLUMN etl.etl_logs.duration_ms IS 'How long it took, in milliseconds.';

COMMENT ON TABLE etl.etl_metrics IS 'Measurements of all runs. Rows are only added.';
COMMENT ON COLUMN etl.etl_metrics.metric_id IS 'Number of the measurement.';
COMMENT ON COLUMN etl.etl_metrics."timestamp" IS 'When it was measured.';
COMMENT ON COLUMN etl.etl_metrics.execution_id IS 'Run; see etl.etl_executions.';
COMMENT ON COLUMN etl.etl_metrics.metric_name IS 'What was measured.';
COMMENT ON COLUMN etl.etl_metrics.metric_value IS 'Value, in metric_unit.';
COMMENT ON COLUMN etl.etl_metrics.metric_unit IS 'Unit, such as s, calls or fixtures/s.';
COMMENT ON COLUMN etl.etl_metrics.tags IS 'What it belongs to: chunk, entity and so on.';

COMMENT ON TABLE etl.execution_chunks IS
    'One season within one run; its figures are counted from etl.execution_fixtures.';
COMMENT ON COLUMN etl.execution_chunks.execution_id IS 'Run; see etl.etl_executions.';
COMMENT ON COLUMN etl.execution_chunks.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN etl.execution_chunks.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN etl.execution_chunks.position IS 'Order within the run.';
COMMENT ON COLUMN etl.execution_chunks.priority IS 'Priority of the season when it was planned.';
COMMENT ON COLUMN etl.execution_chunks.status IS 'PENDING, RUNNING, COMPLETED, FAILED or SKIPPED.';
COMMENT ON COLUMN etl.execution_chunks.planned IS 'Fixtures to read.';
COMMENT ON COLUMN etl.execution_chunks.index_failed IS
    'The season''s list of fixtures could not be read when the run was planned; the collector reads it.';
COMMENT ON COLUMN etl.execution_chunks.processed IS 'Fixtures requested so far.';
COMMENT ON COLUMN etl.execution_chunks.saved IS 'Fixtures that were new or changed.';
COMMENT ON COLUMN etl.execution_chunks.unchanged IS 'Fixtures that were the same as stored, or held back.';
COMMENT ON COLUMN etl.execution_chunks.failed IS 'Fixtures that could not be read.';
COMMENT ON COLUMN etl.execution_chunks.missing IS 'Fixtures that were requested and not returned.';
COMMENT ON COLUMN etl.execution_chunks.api_calls IS 'HTTP calls, failed ones included.';
COMMENT ON COLUMN etl.execution_chunks.bytes IS 'Bytes of the answers'' bodies, uncompressed.';
COMMENT ON COLUMN etl.execution_chunks.tries IS 'Attempts at this season in this run.';
COMMENT ON COLUMN etl.execution_chunks.started_at IS 'When it began.';
COMMENT ON COLUMN etl.execution_chunks.idle_seconds IS 'Time between an end and the next start, where the season was cleared, in seconds.';
COMMENT ON COLUMN etl.execution_chunks.collected_at IS 'When the collector reached the end of its plan.';
COMMENT ON COLUMN etl.execution_chunks.finished_at IS 'When the season was finished in this run.';
COMMENT ON COLUMN etl.execution_chunks.error_message IS 'Why it failed.';
COMMENT ON COLUMN etl.execution_chunks.failed_calls IS 'HTTP calls without a usable answer.';
COMMENT ON COLUMN etl.execution_chunks.waiting IS 'The present attempt waits for API calls.';

COMMENT ON TABLE etl.execution_fixtures IS
    'The plan of a run, fixture by fixture, marked off in the transaction that stores the data.';
COMMENT ON COLUMN etl.execution_fixtures.execution_id IS 'Run; see etl.etl_executions.';
COMMENT ON COLUMN etl.execution_fixtures.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN etl.execution_fixtures.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN etl.execution_fixtures.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN etl.execution_fixtures.position IS 'Order within the season, most urgent first.';
COMMENT ON COLUMN etl.execution_fixtures.reason IS 'Why it is read, such as first_read or recheck.';
COMMENT ON COLUMN etl.execution_fixtures.priority IS 'Smaller is earlier.';
COMMENT ON COLUMN etl.execution_fixtures.urgent IS 'May use the part of the budget that is kept in reserve.';
COMMENT ON COLUMN etl.execution_fixtures.status IS
    'PENDING, SAVED, UNCHANGED, HELD (held back as suspected), FAILED or MISSING (not returned).';
COMMENT ON COLUMN etl.execution_fixtures.error IS 'Why it failed or was held back.';
COMMENT ON COLUMN etl.execution_fixtures.done_at IS 'When it was marked off.';

COMMENT ON TABLE etl.fetched_answers IS
    'Answers of the API that are not stored yet. Written before the next call, deleted with the storing of their data.';
COMMENT ON COLUMN etl.fetched_answers.answer_id IS 'Name of the answer.';
COMMENT ON COLUMN etl.fetched_answers.execution_id IS 'Run; see etl.etl_executions.';
COMMENT ON COLUMN etl.fetched_answers.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN etl.fetched_answers.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN etl.fetched_answers.fetched_at IS 'When it was received.';
COMMENT ON COLUMN etl.fetched_answers.packed IS 'The answer, compressed.';

COMMENT ON TABLE etl.fixture_changes IS
    'What the provider changed after a fixture had been stored. Rows are only added.';
COMMENT ON COLUMN etl.fixture_changes.change_id IS 'Number of the change.';
COMMENT ON COLUMN etl.fixture_changes.changed_at IS 'When it was found.';
COMMENT ON COLUMN etl.fixture_changes.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN etl.fixture_changes.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN etl.fixture_changes.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN etl.fixture_changes.section IS 'Include that changed, or fixture for a field of the fixture itself.';
COMMENT ON COLUMN etl.fixture_changes.field IS 'Field that changed; NULL when complete rows came or went.';
COMMENT ON COLUMN etl.fixture_changes.before IS 'Value before.';
COMMENT ON COLUMN etl.fixture_changes.after IS 'Value after.';
COMMENT ON COLUMN etl.fixture_changes.hours_after IS
    'Hours between the end of the match and the finding of the change; NULL before the end.';
COMMENT ON COLUMN etl.fixture_changes.execution_id IS 'Run; see etl.etl_executions.';

COMMENT ON TABLE etl.forbidden_includes IS
    'Includes that the plan of the API refused; left out of requests for seven days.';
COMMENT ON COLUMN etl.forbidden_includes.connection IS 'Airflow connection id of the API.';
COMMENT ON COLUMN etl.forbidden_includes.entity IS 'Entity of the request.';
COMMENT ON COLUMN etl.forbidden_includes.include IS 'Include that was refused, in lower case.';
COMMENT ON COLUMN etl.forbidden_includes.code IS 'Code of the refusal.';
COMMENT ON COLUMN etl.forbidden_includes.message IS 'Message of the refusal.';
COMMENT ON COLUMN etl.forbidden_includes.learnt_at IS 'When it was refused last.';
COMMENT ON COLUMN etl.forbidden_includes.confirmed IS 'Refused again by a later run; only then it counts for all runs.';
COMMENT ON COLUMN etl.forbidden_includes.execution_id IS 'Run that met the refusal first.';

COMMENT ON TABLE etl.metric_buckets IS
    'Measurements added up over five minutes each, so that a chart of a week is fast.';
COMMENT ON COLUMN etl.metric_buckets.metric_name IS 'What was measured.';
COMMENT ON COLUMN etl.metric_buckets.bucket IS 'Start of the five minutes.';
COMMENT ON COLUMN etl.metric_buckets.series IS 'Entity, where a measurement has one; otherwise empty.';
COMMENT ON COLUMN etl.metric_buckets.samples IS 'Number of measurements.';
COMMENT ON COLUMN etl.metric_buckets.total IS 'Sum of the values.';
COMMENT ON COLUMN etl.metric_buckets.lowest IS 'Smallest value.';
COMMENT ON COLUMN etl.metric_buckets.highest IS 'Greatest value.';

COMMENT ON VIEW etl.raw_route_status IS 'Every raw route with its table and its newest run.';
COMMENT ON COLUMN etl.raw_route_status.client IS 'Name of the API that the route reads.';
COMMENT ON COLUMN etl.raw_route_status.route IS 'Name of the route.';
COMMENT ON COLUMN etl.raw_route_status.table_name IS 'Table of the route, with its schema.';
COMMENT ON COLUMN etl.raw_route_status.estimated_rows IS 'Rows of the table, as PostgreSQL estimates them.';
COMMENT ON COLUMN etl.raw_route_status.bytes IS 'Size of the table with its indexes, in bytes.';
COMMENT ON COLUMN etl.raw_route_status.status IS 'Outcome of the newest run: running, success or failed.';
COMMENT ON COLUMN etl.raw_route_status.started_at IS 'When it began.';
COMMENT ON COLUMN etl.raw_route_status.completed_at IS 'When it ended; NULL while it runs.';
COMMENT ON COLUMN etl.raw_route_status.records_processed IS 'Records read.';
COMMENT ON COLUMN etl.raw_route_status.records_inserted IS 'Records that were new.';
COMMENT ON COLUMN etl.raw_route_status.error_message IS 'Why it failed; NULL when it did not.';
COMMENT ON COLUMN etl.raw_route_status.collected_to IS
    'Day up to which data are complete, for routes that read by period.';
COMMENT ON COLUMN etl.raw_route_status.ended_by IS
    'How the newest run knew the ends of its listings, with their number.';
COMMENT ON COLUMN etl.raw_route_status.unproven IS 'Listings that may be short: nothing proved their end.';
COMMENT ON COLUMN etl.raw_route_status.name IS 'Collector name of the route.';
COMMENT ON COLUMN etl.raw_route_status.pages IS 'Pages read by the newest run.';
COMMENT ON COLUMN etl.raw_route_status.records_per_second IS 'Records per second of the newest run.';
COMMENT ON COLUMN etl.raw_route_status.last_success_at IS 'End of the last successful run.';
COMMENT ON COLUMN etl.raw_route_status.rejects IS 'Records that came and could not be stored; see etl.route_rejects.';
COMMENT ON COLUMN etl.raw_route_status.doubts IS
    'Why listings may be short, the first five of the newest run; NULL when none may be.';

COMMENT ON TABLE etl.raw_routes IS 'Which raw route owns which table in the schema raw.';
COMMENT ON COLUMN etl.raw_routes.table_name IS 'Name of the table, without its schema.';
COMMENT ON COLUMN etl.raw_routes.client IS 'Name of the API that the route reads.';
COMMENT ON COLUMN etl.raw_routes.route IS 'Name of the route.';
COMMENT ON COLUMN etl.raw_routes.key_paths IS
    'Paths in the record that make record_key; NULL when the route has no key.';
COMMENT ON COLUMN etl.raw_routes.created_at IS 'When the row was created.';
COMMENT ON COLUMN etl.raw_routes.updated_at IS 'When the row was changed last.';
COMMENT ON COLUMN etl.raw_routes.typed_columns IS
    'Typed columns of the view of newest records: name, path and type of each; NULL when there are none.';
COMMENT ON COLUMN etl.raw_routes.replaces IS
    'A complete reading marks records that have vanished, in the column deleted_at.';

COMMENT ON TABLE etl.route_progress IS
    'Where the run of a raw route stands. Moves in the transaction that stores the rows. RUNNING, DONE, FAILED.';
COMMENT ON COLUMN etl.route_progress.route_name IS 'Collector name of the route.';
COMMENT ON COLUMN etl.route_progress.plan_hash IS 'Hash of what is read: period, windows, items.';
COMMENT ON COLUMN etl.route_progress.execution_id IS 'Run; see etl.etl_executions.';
COMMENT ON COLUMN etl.route_progress.status IS 'RUNNING, DONE or FAILED.';
COMMENT ON COLUMN etl.route_progress.fence IS 'Grows with every attempt, so that an older one cannot write any more.';
COMMENT ON COLUMN etl.route_progress.date_from IS 'First day of the period.';
COMMENT ON COLUMN etl.route_progress.date_to IS 'Last day of the period.';
COMMENT ON COLUMN etl.route_progress.slices IS 'Number of parts (windows times items) to read.';
COMMENT ON COLUMN etl.route_progress.slice_index IS 'Part that is read now, counted from 0.';
COMMENT ON COLUMN etl.route_progress.page_state IS 'Page that comes next; NULL for the first page of the part.';
COMMENT ON COLUMN etl.route_progress.counters IS 'Figures so far: pages, records, seconds and so on.';
COMMENT ON COLUMN etl.route_progress.error_message IS 'Why it failed; NULL when it did not.';
COMMENT ON COLUMN etl.route_progress.started_at IS 'When it began.';
COMMENT ON COLUMN etl.route_progress.updated_at IS 'When the row was changed last.';
COMMENT ON COLUMN etl.route_progress.items IS
    'What the unfinished run has one listing for each of; NULL = none, or written in the file of the route.';
COMMENT ON COLUMN etl.route_progress.advanced_at IS
    'When the position last moved; NULL = before there was this column.';
COMMENT ON COLUMN etl.route_progress.doubts IS
    'Why listings of the run may be short, the first five; NULL when none may be.';

COMMENT ON TABLE etl.route_rejects IS 'Records of raw routes that came and could not be stored, each once.';
COMMENT ON COLUMN etl.route_rejects.reject_id IS 'Number of the record.';
COMMENT ON COLUMN etl.route_rejects.route_name IS 'Collector name of the route.';
COMMENT ON COLUMN etl.route_rejects.execution_id IS 'Run; see etl.etl_executions.';
COMMENT ON COLUMN etl.route_rejects.reason IS 'Why it could not be stored.';
COMMENT ON COLUMN etl.route_rejects.record IS 'Its JSON text, cut to 20,000 characters.';
COMMENT ON COLUMN etl.route_rejects.record_md5 IS 'MD5 of the complete text.';
COMMENT ON COLUMN etl.route_rejects.rejected_at IS 'When it came.';

COMMENT ON TABLE etl.route_seen IS
    'Keys of the records that a complete reading under way has brought. Empty when none is under way.';
COMMENT ON COLUMN etl.route_seen.route_name IS 'Collector name of the route.';
COMMENT ON COLUMN etl.route_seen.plan_hash IS 'Hash of what is read.';
COMMENT ON COLUMN etl.route_seen.record_key IS 'Key of a record that came.';

COMMENT ON TABLE etl.run_origins IS
    'How and by whom DAG runs of the catalog and of raw routes were started; those of leagues have it in etl.etl_executions.';
COMMENT ON COLUMN etl.run_origins.execution_id IS 'Run, as etl.collector_runs has it.';
COMMENT ON COLUMN etl.run_origins.dag_id IS 'DAG in Airflow.';
COMMENT ON COLUMN etl.run_origins.run_id IS 'DAG run in Airflow.';
COMMENT ON COLUMN etl.run_origins.run_type IS 'Airflow''s type of the DAG run: scheduled, manual, backfill, asset_triggered.';
COMMENT ON COLUMN etl.run_origins.triggered_by IS 'User who triggered it, where Airflow knows one.';
COMMENT ON COLUMN etl.run_origins.recorded_at IS 'When its first task began.';

COMMENT ON TABLE etl.schema_migrations IS 'Migrations that this database has seen.';
COMMENT ON COLUMN etl.schema_migrations.name IS 'Number and name of the migration.';
COMMENT ON COLUMN etl.schema_migrations.applied_at IS 'When it was applied.';
COMMENT ON COLUMN etl.schema_migrations.sha256 IS 'SHA-256 of its content, hexadecimal; NULL in rows of version 0.1.';

-- Functions by their names. An older version may have left another one of the same name, with other parameters.
DO $$
DECLARE
    v_about record;
    v_function regprocedure;
BEGIN
    FOR v_about IN SELECT * FROM (VALUES
        ('acknowledge_alert',
         'Marks an alert as looked after by p_who. Its status afterwards; NULL when there is no such alert.'),
        ('add_timestamps', 'Adds created_at and updated_at to a table of your own and keeps updated_at true.'),
        ('advance_route_run',
         'Moves a raw route''s position after a batch; false when another attempt has taken over.'),
        ('api_call_failed', 'Counts a call without a usable answer; several in a row make all calls rest.'),
        ('apply_alerts',
         'Makes the alerts of a kind agree with what its rule finds now: opens, marks as seen, resolves.'),
        ('begin_route_run', 'Begins an attempt at a raw route: where to start, under which fence.'),
        ('block_api', 'Notes an answer 429; returns the time before which no call may be made.'),
        ('claim_alert_notification',
         'Claims the notification of one alert for the caller; no row when another caller sends it.'),
        ('claim_alert_notifications', 'Claims alerts whose notification has not been sent, most severe first.'),
        ('claim_api_source',
         'Claims this warehouse for an API, if it has none yet; returns the one that it belongs to.'),
        ('close_abandoned_collector_runs', 'Ends runs of collectors that were killed; returns their number.'),
        ('close_chunk', 'Ends a season in a run: COMPLETED, or FAILED with the reason. Returns the status.'),
        ('close_dead_execution', 'Ends a run whose DAG run is gone; false when it has shown a sign of life since.'),
        ('close_open_chunks', 'Ends the seasons that a finished run has left open; returns their number.'),
        ('close_route_run', 'Ends a raw route''s run that its task has left open; returns its status.'),
        ('collector_last_success', 'End of the collector''s last success; NULL when it never succeeded.'),
        ('collector_watermark', 'Watermark of the collector''s newest success that left one.'),
        ('comment_raw_table', 'Writes the comments of a raw route''s table, its view and their columns.'),
        ('count_api_call',
         'Counts API calls, failed calls and bytes on the run that made them; false when there is no such run.'),
        ('credible_time',
         'The time, unless it lies further ahead than when it was set: then NULL, because the clock was set back.'),
        ('drop_latest_view',
         'Drops the view of a raw table''s newest records; returns the statements that grant its privileges again.'),
        ('ensure_raw_table', 'Creates or updates the table of a raw route; returns its name without the schema.'),
        ('execution_report', 'A run with its seasons, checks and errors as one JSON document.'),
        ('finish_collector_run', 'Ends a run of a collector by its number; false when it is not running any more.'),
        ('finish_etl_execution',
         'Ends a run; figures that are left out are counted from its plan. Returns the status.'),
        ('finish_route_run', 'Ends an attempt at a raw route; false when another attempt has taken over.'),
        ('football_columns',
         'The columns of the typed views of raw routes of the Sportmonks API: path in the record, type, comment.'),
        ('football_view_note', 'What the typed view over a raw table has as its comment, by which it is known.'),
        ('football_view_of', 'The typed view over a raw table; NULL where it has none.'),
        ('forget_fixtures',
         'Makes fixtures look as if they had never been read, so that they are read again; returns their number.'),
        ('has_rows', 'Whether a payload has rows with a usable id in a section.'),
        ('forget_lost',
         'Finds what is marked as stored and is not there, and makes it due again; names what it found.'),
        ('forget_lost_lists', 'Makes lists of seasons whose table has lost its rows due again; returns their names.'),
        ('from_epoch', 'Seconds since 1970 as a time; NULL outside the years 1970 to 9999.'),
        ('get_etl_execution_summary', 'One run in figures; without an id the newest.'),
        ('get_etl_health_status', 'Runs, success and errors of the installation in one row.'),
        ('is_football_view', 'Whether the typed view over a raw table is there, and no other object of that name.'),
        ('lock_open_chunks', 'Locks the seasons that a run has open, before the run itself.'),
        ('log_etl_event', 'Writes a log line; returns its number.'),
        ('lost_lists', 'Names of the lists of seasons whose table has lost its rows.'),
        ('mark_collector_periods', 'Notes years or seasons that a collector has read to their end.'),
        ('mark_replaced',
         'Marks fixtures that the provider has created anew under another id; returns the number of changes.'),
        ('open_chunk', 'Begins a season in a run.'),
        ('path_parts', 'The keys of a path: dotted text, or a JSON list where a key has a dot itself.'),
        ('played_detail',
         'Played fixtures of a season: which of events, lineups and statistics were requested, and which have rows.'),
        ('player_figures', 'Rows of football.fixture_player_figures for some fixtures, computed from the statistics.'),
        ('raise_alert', 'Opens an alert, or marks the open one of the same key as seen again.'),
        ('raw_name_part',
         'A name as part of a table''s name: ASCII letters, digits and single underscores, lower case.'),
        ('raw_table_name', 'Name of the table of a raw route, at most 63 bytes with those of its indexes.'),
        ('record_chunk_run', 'Writes the collector''s run of a season, counted from its plan.'),
        ('record_collector_run', 'Writes a run of a collector, one row per name and execution; returns its number.'),
        ('record_etl_metric', 'Writes a measurement; returns its number.'),
        ('recount_chunk', 'Counts a season within a run from its plan.'),
        ('recount_coverage', 'Counts what a season holds now, over all runs.'),
        ('recount_execution', 'Counts a run from its plan.'),
        ('require_chunk_checks',
         'Raises when a required quality check of a season failed; returns how many checks passed.'),
        ('require_raw_owner', 'Raises unless this account may change a raw table and its view.'),
        ('resolve_alert', 'Marks the alert of this key as over; returns 1, or 0 when there is none.'),
        ('restore_player_figures',
         'Makes the figures of those matches of a league that have statistics and no figures; returns their number.'),
        ('roll_up_metrics', 'Adds measurements up in buckets of five minutes; returns the number of buckets.'),
        ('run_chunk_checks', 'Runs the quality checks of a season in a run; returns how many failed.'),
        ('season_state', 'What the data say about a season, in one word: UNREAD, EMPTY, RUNNING, FAILED (incomplete after a failed run), INCOMPLETE, DUE, UP_TO_DATE, COMPLETE.'),
        ('set_api_source', 'Says that this warehouse belongs to the API under another address from now on.'),
        ('settle_alert_notification',
         'Ends a claim of etl.claim_alert_notifications: sent, or free for the next caller.'),
        ('settle_api_call', 'Notes the figures of the API''s answer in the budget.'),
        ('shape_football_view', 'Makes the typed view over a raw table, or brings it up to date.'),
        ('shape_raw_table',
         'Creates the view of a raw table''s newest records, with typed columns and without deleted records.'),
        ('shortest_rest', 'How long calls rest at least after this many refusals in a row: 1 to 60 seconds.'),
        ('silent_executions', 'Runs that are called RUNNING and gave no sign of life for p_minutes.'),
        ('start_etl_execution', 'Begins a run, or takes a finished one back to RUNNING; returns its id.'),
        ('stop_chunk', 'Ends a season after a failed attempt in a run that had been finished before.'),
        ('take_api_call', 'Takes one call from the budget, or says why not and for how many seconds to wait.'),
        ('to_bigint', 'Text as bigint; NULL when it is not one.'),
        ('to_bool', 'Text as boolean; NULL when it is not one.'),
        ('to_int', 'Text as integer; NULL when it is not one.'),
        ('to_numeric', 'Text as numeric; NULL when it is not one.'),
        ('to_time', 'A time as APIs write it (ISO 8601, seconds or milliseconds since 1970); anything else is NULL.'),
        ('to_utc',
         'A time as Sportmonks writes it, which is UTC, or ISO 8601 with an offset; NULL when it is not one.'),
        ('touch_updated_at', 'Trigger of etl.add_timestamps: moves updated_at when another column changed.'),
        ('touch_updated_at_generated', 'The same as etl.touch_updated_at, for tables with generated columns.'),
        ('without_paths', 'A JSON value without the keys at some paths, which lead through the elements of lists.')
    ) AS about(name, text) LOOP
        FOR v_function IN
            SELECT p.oid FROM pg_proc p
            WHERE p.pronamespace = 'etl'::regnamespace AND p.proname = v_about.name AND pg_has_role(p.proowner, 'USAGE')
        LOOP
            EXECUTE format('COMMENT ON FUNCTION %s IS %L', v_function, v_about.text);
        END LOOP;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'There is no function etl.%.', v_about.name;
        END IF;
    END LOOP;
END $$;
