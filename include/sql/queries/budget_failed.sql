-- A call ended without a usable answer: did that open the circuit, and until when?
SELECT opened, open_until
  FROM etl.api_call_failed(
        p_connection => %(connection)s, p_bucket => %(bucket)s, p_window_no => %(window)s,
        p_threshold => %(threshold)s, p_within_seconds => %(within)s,
        p_open_seconds => %(open_seconds)s, p_cap_seconds => %(cap)s);
