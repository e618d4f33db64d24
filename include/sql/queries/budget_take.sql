-- May one call be made now? Granted or not, seconds to wait, why, from which bucket and window.
SELECT granted, wait_seconds, reason, bucket, window_no
  FROM etl.take_api_call(
        p_connection => %(connection)s, p_entity => %(entity)s, p_urgent => %(urgent)s,
        p_reserve => %(reserve)s, p_default_limit => %(default_limit)s);
