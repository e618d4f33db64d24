-- Alerts: opened, seen again, acknowledged, resolved, and handed to the notifier.

-- Opens an alert or marks the live one of the same key as seen again. One that was resolved less than p_reopen ago
-- is reopened instead, so that a condition that comes and goes every few minutes is one alert and one notification.
CREATE OR REPLACE FUNCTION etl.raise_alert(
    p_dedupe_key text, p_kind text, p_severity text, p_subject text, p_message text, p_hint text DEFAULT '',
    p_details jsonb DEFAULT '{}', p_execution_id text DEFAULT NULL, p_league_id bigint DEFAULT NULL,
    p_season_id bigint DEFAULT NULL, p_reopen interval DEFAULT '0', p_now timestamptz DEFAULT clock_timestamp(),
    OUT alert_id bigint, OUT opened boolean
) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Two watchers may find the same condition at the same time: the lock admits one per key until its transaction ends.
    PERFORM pg_advisory_xact_lock(hashtextextended('etl_alert:' || p_dedupe_key, 0));
    UPDATE etl.etl_alerts a
    SET severity = p_severity, subject = p_subject, message = p_message, hint = coalesce(p_hint, ''),
        details = coalesce(p_details, '{}'), execution_id = coalesce(p_execution_id, a.execution_id),
        league_id = coalesce(p_league_id, a.league_id), season_id = coalesce(p_season_id, a.season_id),
        last_seen_at = greatest(a.last_seen_at, p_now), seen_count = a.seen_count + 1
    WHERE a.dedupe_key = p_dedupe_key AND a.status <> 'RESOLVED'
    RETURNING a.alert_id, false INTO alert_id, opened;
    IF FOUND THEN RETURN; END IF;
    UPDATE etl.etl_alerts a
    SET status = CASE WHEN a.acknowledged_at IS NULL THEN 'OPEN' ELSE 'ACKNOWLEDGED' END, resolved_at = NULL,
        severity = p_severity, message = p_message, details = coalesce(p_details, '{}'),
        last_seen_at = p_now, seen_count = a.seen_count + 1
    WHERE a.alert_id = (SELECT r.alert_id FROM etl.etl_alerts r
                         WHERE r.dedupe_key = p_dedupe_key ORDER BY r.alert_id DESC LIMIT 1)
      AND a.resolved_at > p_now - p_reopen
    RETURNING a.alert_id, false INTO alert_id, opened;
    IF FOUND THEN RETURN; END IF;
    INSERT INTO etl.etl_alerts AS a (dedupe_key, kind, severity, subject, message, hint, details, execution_id, league_id,
                                     season_id, opened_at, last_seen_at)
    VALUES (p_dedupe_key, p_kind, p_severity, p_subject, p_message, coalesce(p_hint, ''), coalesce(p_details, '{}'),
            p_execution_id, p_league_id, p_season_id, p_now, p_now)
    RETURNING a.alert_id, true INTO alert_id, opened;
END $$;

-- It is over. The number of alerts resolved (0 or 1).
CREATE OR REPLACE FUNCTION etl.resolve_alert(p_dedupe_key text, p_now timestamptz DEFAULT clock_timestamp())
RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    WITH over AS (
        UPDATE etl.etl_alerts SET status = 'RESOLVED', resolved_at = greatest(p_now, opened_at)
        WHERE dedupe_key = p_dedupe_key AND status <> 'RESOLVED' RETURNING 1)
    SELECT count(*) FROM over
$$;

-- Somebody looks after it. Its status afterwards; NULL when there is no such alert.
CREATE OR REPLACE FUNCTION etl.acknowledge_alert(p_alert_id bigint, p_who text, p_now timestamptz DEFAULT clock_timestamp())
RETURNS text LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    UPDATE etl.etl_alerts
    SET status = CASE status WHEN 'OPEN' THEN 'ACKNOWLEDGED' ELSE status END,
        acknowledged_at = CASE status WHEN 'OPEN' THEN p_now ELSE acknowledged_at END,
        acknowledged_by = CASE status WHEN 'OPEN' THEN p_who ELSE acknowledged_by END
    WHERE alert_id = p_alert_id
    RETURNING status
$$;

-- Takes what a rule finds true now (an array of alerts) and makes the table agree: opens, marks as seen, and resolves
-- the live alerts of the kind that the rule no longer names. With a DAG only that DAG's alerts can be resolved.
CREATE OR REPLACE FUNCTION etl.apply_alerts(
    p_kind text, p_rows jsonb, p_dag_id text DEFAULT NULL, p_reopen interval DEFAULT '0',
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS TABLE (alert_id bigint, dedupe_key text, outcome text) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT r.alert_id, f.dedupe_key, CASE WHEN r.opened THEN 'opened' ELSE 'seen' END
        -- Every transaction takes its keys in the same order, so two watchers cannot block each other.
        FROM (SELECT * FROM jsonb_to_recordset(p_rows) AS j(dedupe_key text, severity text, subject text, message text,
                            hint text, details jsonb, execution_id text, league_id bigint, season_id bigint)
              ORDER BY j.dedupe_key) f
        CROSS JOIN LATERAL etl.raise_alert(f.dedupe_key, p_kind, f.severity, f.subject, f.message, f.hint, f.details,
                                           f.execution_id, f.league_id, f.season_id, p_reopen, p_now) r;
    RETURN QUERY
        UPDATE etl.etl_alerts a SET status = 'RESOLVED', resolved_at = greatest(p_now, a.opened_at)
        WHERE a.kind = p_kind AND a.status <> 'RESOLVED'
          AND a.last_seen_at <= p_now         -- one that somebody has raised since the rule looked is not over
          AND (p_dag_id IS NULL OR a.details ->> 'dag_id' = p_dag_id)
          AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(p_rows) f WHERE f ->> 'dedupe_key' = a.dedupe_key)
        RETURNING a.alert_id, a.dedupe_key, 'resolved'::text;
END $$;

-- Alerts without a notification so far, most severe first, claimed for this caller.
CREATE OR REPLACE FUNCTION etl.claim_alert_notifications(p_limit integer DEFAULT 50, p_now timestamptz DEFAULT clock_timestamp())
RETURNS SETOF etl.etl_alerts LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    UPDATE etl.etl_alerts a SET notify_claimed_at = p_now, notify_attempts = a.notify_attempts + 1
    WHERE a.alert_id IN (
        SELECT c.alert_id FROM etl.etl_alerts c
        WHERE c.status = 'OPEN' AND c.severity <> 'INFO' AND c.notified_at IS NULL
          AND c.notify_attempts < 1000      -- a week of etl_watch: a mail server may be away for a night
          AND (c.notify_claimed_at IS NULL
               OR c.notify_claimed_at NOT BETWEEN p_now - interval '10 minutes' AND p_now + interval '10 minutes')
        ORDER BY c.severity = 'CRITICAL' DESC, c.opened_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
    RETURNING a.*
$$;

-- The same for one alert, for a caller that has just opened it. No row: another caller already sends it.
CREATE OR REPLACE FUNCTION etl.claim_alert_notification(p_alert_id bigint, p_now timestamptz DEFAULT clock_timestamp())
RETURNS SETOF etl.etl_alerts LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    UPDATE etl.etl_alerts a SET notify_claimed_at = p_now, notify_attempts = a.notify_attempts + 1
    WHERE a.alert_id = p_alert_id AND a.status = 'OPEN' AND a.severity <> 'INFO' AND a.notified_at IS NULL
      AND (a.notify_claimed_at IS NULL
           OR a.notify_claimed_at NOT BETWEEN p_now - interval '10 minutes' AND p_now + interval '10 minutes')
    RETURNING a.*
$$;

-- Ends a claim. p_sent: the notification was sent, or there is nobody to receive it; it is never sent again. Otherwise
-- the next caller claims the alert again.
CREATE OR REPLACE FUNCTION etl.settle_alert_notification(p_alert_id bigint, p_sent boolean, p_now timestamptz DEFAULT clock_timestamp())
RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    UPDATE etl.etl_alerts SET notified_at = CASE WHEN p_sent THEN p_now END, notify_claimed_at = NULL
    WHERE alert_id = p_alert_id AND notified_at IS NULL
$$;
