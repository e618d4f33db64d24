-- The API said 429: until when does this bucket rest?
SELECT etl.block_api(
        p_connection => %(connection)s, p_bucket => %(bucket)s, p_window_no => %(window)s,
        p_retry_after => %(retry_after)s, p_exhausted => %(exhausted)s);
