-- Short statements about alerts; each rule is a file of its own in alerts/.

-- name: alerts/by_id
-- Alerts with the DAG run they came from, most severe and oldest first.
SELECT a.*, coalesce(e.dag_id, a.details ->> 'dag_id') AS dag_id, coalesce(e.run_id, a.details ->> 'run_id') AS run_id
FROM etl.etl_alerts a LEFT JOIN etl.etl_executions e USING (execution_id)
WHERE a.alert_id = ANY(%(ids)s::bigint[])
ORDER BY array_position(ARRAY['CRITICAL', 'WARNING', 'INFO'], a.severity), a.opened_at, a.alert_id;

-- name: alerts/dag_of_execution
-- Which DAG does an execution belong to?
SELECT dag_id FROM etl.etl_executions WHERE execution_id = %(execution_id)s;

-- name: alerts/lock_rule
-- One check per rule at a time, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('etl_rule:' || %(kind)s, 0));

-- name: alerts/apply
-- Opens, refreshes and resolves the alerts of one rule: which alert changed how?
SELECT alert_id, outcome
FROM etl.apply_alerts(%(kind)s, %(rows)s, %(dag_id)s, make_interval(mins => %(reopen_minutes)s), %(now)s);

-- name: alerts/unfinished_seasons
-- Which seasons of an execution are not done? At most twelve, in plan order.
SELECT coalesce(nullif(k.season_name, ''), c.season_id::text)
FROM etl.execution_chunks c
LEFT JOIN etl.chunks k USING (league_id, season_id)
WHERE c.execution_id = %(execution_id)s AND c.status IN ('PENDING', 'RUNNING', 'FAILED')
ORDER BY c.position LIMIT 12;

-- name: alerts/raise
-- Opens or refreshes an alert that no rule raises (a missed deadline, a failed run): its id, and whether it is new.
SELECT alert_id, opened
FROM etl.raise_alert(%(dedupe_key)s, %(kind)s, 'CRITICAL', %(subject)s, %(message)s, %(hint)s, %(details)s,
                     %(execution_id)s, %(league_id)s, p_now => %(now)s);

-- name: alerts/resolve
-- Resolves the live alert of a key: how many there were (0 or 1).
SELECT etl.resolve_alert(%(dedupe_key)s, %(now)s);

-- name: alerts/acknowledge
-- Somebody has seen an alert: its status afterwards, no row's value when there is no such alert.
SELECT etl.acknowledge_alert(%(alert_id)s, %(who)s);

-- name: alerts/claim_notifications
-- Which alerts wait for a notification? They are claimed by this caller; at most fifty.
SELECT alert_id FROM etl.claim_alert_notifications(50, %(now)s);

-- name: alerts/claim_notification
-- Claims the notification of one alert; no row when somebody has sent it or is just doing so.
SELECT alert_id FROM etl.claim_alert_notification(%(alert_id)s, %(now)s);

-- name: alerts/settle_notification
-- A claimed notification was sent, or may be claimed again.
SELECT etl.settle_alert_notification(%(alert_id)s, %(sent)s, %(now)s);
