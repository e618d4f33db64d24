-- Columns and parameters take the words of the project: hint (was mend), estimate (was quote), requested (was asked).

ALTER TABLE etl.etl_alerts RENAME COLUMN mend TO hint;
ALTER TABLE etl.etl_executions RENAME COLUMN quote TO estimate;
ALTER TABLE football.fixtures RENAME COLUMN last_asked_at TO last_requested_at;

-- The name of a parameter cannot be replaced.
DROP FUNCTION etl.raise_alert(text, text, text, text, text, text, jsonb, text, bigint, bigint, interval, timestamptz);

CREATE OR REPLACE FUNCTION etl.raise_alert(
    p_dedupe_key text, p_kind text, p_severity text, p_subject text, p_message text, p_hint text DEFAULT '',
    p_details jsonb DEFAULT '{}', p_execution_id text DEFAULT NULL, p_league_id bigint DEFAULT NULL,
    p_season_id bigint DEFAULT NULL, p_reopen interval DEFAULT '0', p_now timestamptz DEFAULT clock_timestamp(),
    OUT alert_id bigint, OUT opened boolean
) LANGUAGE plpgsql AS $$
BEGIN
    -- Two watchers may see the same thing at the same moment: they queue up per key until the transaction ends.
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

CREATE OR REPLACE FUNCTION etl.apply_alerts(
    p_kind text, p_rows jsonb, p_dag_id text DEFAULT NULL, p_reopen interval DEFAULT '0',
    p_now timestamptz DEFAULT clock_timestamp()
) RETURNS TABLE (alert_id bigint, dedupe_key text, outcome text) LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION etl.execution_report(p_execution_id text, p_with_metrics boolean DEFAULT false)
RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(s) || jsonb_build_object(
        'estimate', e.estimate,
        'chunks', (SELECT coalesce(jsonb_agg(to_jsonb(c) - 'execution_id' ORDER BY c.position), '[]')
                   FROM etl.execution_chunks c WHERE c.execution_id = p_execution_id))
        || CASE WHEN p_with_metrics THEN jsonb_build_object('metrics',
            (SELECT coalesce(jsonb_agg(to_jsonb(m) - 'execution_id' - 'metric_id' ORDER BY m.metric_id), '[]')
             FROM etl.etl_metrics m WHERE m.execution_id = p_execution_id)) ELSE '{}' END
    FROM etl.get_etl_execution_summary(p_execution_id) s
    JOIN etl.etl_executions e USING (execution_id)
$$;
