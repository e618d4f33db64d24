-- What the API reported about its rate limit with an answer (also that it is alive).
SELECT etl.settle_api_call(
        p_connection => %(connection)s, p_entity => %(entity)s, p_bucket => %(bucket)s, p_window_no => %(window)s,
        p_remaining => %(remaining)s, p_resets_in => %(resets_in)s, p_limit => %(call_limit)s,
        p_requested_entity => %(requested_entity)s, p_latency => %(latency)s, p_answered => %(answered)s,
        p_default_limit => %(default_limit)s, p_window_seconds => %(window_seconds)s);
