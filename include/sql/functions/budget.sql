-- The budget of API calls and the circuit breaker.
--
-- The API counts per entity and window; a window opens with its first request. Every task, worker and DAG of a
-- connection takes its calls here, one atomic statement before each call, so that parallel workers together never
-- pass the limit. Four rules carry it:
--   1. A window whose figures are unknown lets one call out at a time until the first response names them.
--   2. Within a window, figures from responses only ever tighten.
--   3. Responses carry the number of the window they were taken from: a late one says nothing about a newer window.
--   4. A call is counted when it is taken: a killed worker costs one call of the budget, never the budget.
--   5. The newest refusal of the API decides how long calls rest, whatever an older response announced. The wait is
--      never shorter than a floor that doubles with every refusal in a row.
--   6. A time that lies further ahead than when it was set belongs to a clock that has been set back since: unknown.
-- Lock order in all functions: the circuit's row, then rows of the budget by name, then the chunk and the execution
-- that make the call, so that they cannot deadlock.

-- A time that was p_within seconds ahead when it was set; null when it lies further ahead of p_now than that. Old rows
-- do not know how far it was: no wait of the API is longer than a day.
CREATE OR REPLACE FUNCTION etl.credible_time(p_time timestamptz, p_within double precision, p_now timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE
RETURN CASE WHEN p_time <= p_now + make_interval(secs => coalesce(p_within, 86400) + 1) THEN p_time END;

-- How long calls rest at least after the given number of refusals in a row: 1, 2, 4 ... 60 seconds.
CREATE OR REPLACE FUNCTION etl.shortest_rest(p_refusals integer) RETURNS interval LANGUAGE sql IMMUTABLE
RETURN make_interval(secs => least(60, 2 ^ least(greatest(p_refusals, 1) - 1, 10)));

-- Books p_calls calls that begin, or p_failed and p_bytes of one that has ended, where it was made: on an execution
-- and, if p_season_id is given, on its chunk; or on the run of a collector (p_collector) of that execution. Returns
-- whether there is such a row. A session without p_execution_id (a test of the connection) has no books.
CREATE OR REPLACE FUNCTION etl.count_api_call(
    p_execution_id text,
    p_league_id    bigint,
    p_season_id    bigint,
    p_collector    text,
    p_calls        integer DEFAULT 0,
    p_failed       integer DEFAULT 0,
    p_bytes        bigint  DEFAULT 0
) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_collector IS NOT NULL THEN
        UPDATE etl.collector_runs r
           SET api_calls = r.api_calls + p_calls, failed_calls = r.failed_calls + p_failed, bytes = r.bytes + p_bytes
         WHERE r.collector_name = p_collector AND r.execution_id = p_execution_id;
        RETURN FOUND;
    END IF;
    IF p_season_id IS NOT NULL THEN
        UPDATE etl.execution_chunks c
           SET api_calls = c.api_calls + p_calls, failed_calls = c.failed_calls + p_failed, bytes = c.bytes + p_bytes
         WHERE c.execution_id = p_execution_id AND c.league_id = p_league_id AND c.season_id = p_season_id;
    END IF;
    UPDATE etl.etl_executions e
       SET api_calls = e.api_calls + p_calls, failed_calls = e.failed_calls + p_failed, bytes = e.bytes + p_bytes
     WHERE e.execution_id = p_execution_id;
    RETURN FOUND;
END;
$$;

-- Takes one call, or says why not and for how long. One statement, the row locked for its duration only.
-- reason: granted | half-open (granted, to see whether the API is back) | blocked | empty | reserve | probing | circuit.
CREATE OR REPLACE FUNCTION etl.take_api_call(
    p_connection    text,
    p_entity        text,
    p_urgent        boolean          DEFAULT false,
    p_reserve       double precision DEFAULT 0.1,
    p_default_limit integer          DEFAULT 2000,
    p_now           timestamptz      DEFAULT clock_timestamp(),
    OUT granted      boolean,
    OUT wait_seconds numeric,
    OUT reason       text,
    OUT bucket       text,
    OUT window_no    bigint
) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- resets_in_seconds is an integer: a window may end up to a second after the time computed from it.
    margin    CONSTANT interval := interval '1 second';
    -- A probe that has not answered by then is taken for lost (its worker was killed) and another one may go.
    probe_seconds CONSTANT double precision := 30;
    probe     CONSTANT interval := make_interval(secs => probe_seconds);
    b         etl.api_budget;
    c         etl.api_circuit;
    half_open boolean := false;
    until     timestamptz;
BEGIN
    granted := false;
    window_no := 0;
    bucket := coalesce((SELECT a.answers_as FROM etl.api_budget a
                         WHERE a.connection = p_connection AND a.entity = p_entity), p_entity);

    -- Nearly always closed: looked at without a lock first.
    PERFORM 1 FROM etl.api_circuit x WHERE x.connection = p_connection AND x.state <> 'CLOSED';
    IF FOUND THEN
        SELECT * INTO c FROM etl.api_circuit x WHERE x.connection = p_connection FOR UPDATE;
        IF c.state <> 'CLOSED' THEN
            IF etl.credible_time(c.open_until, c.open_seconds, p_now) > p_now THEN
                until := c.open_until;
            ELSIF etl.credible_time(c.probing_until, probe_seconds, p_now) > p_now THEN
                until := least(c.probing_until, p_now + interval '1 second');
            END IF;
            IF until IS NOT NULL THEN
                reason := 'circuit';
                wait_seconds := round(extract(epoch FROM until - p_now)::numeric, 3);
                RETURN;
            END IF;
            half_open := true;
        END IF;
    END IF;

    SELECT * INTO b FROM etl.api_budget x WHERE x.connection = p_connection AND x.entity = bucket FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO etl.api_budget (connection, entity) VALUES (p_connection, bucket) ON CONFLICT DO NOTHING;
        SELECT * INTO b FROM etl.api_budget x WHERE x.connection = p_connection AND x.entity = bucket FOR UPDATE;
    END IF;

    IF p_now >= b.resets_at + margin
       OR (b.resets_at IS NOT NULL AND etl.credible_time(b.resets_at, b.resets_within, p_now) IS NULL) THEN
        b.window_no := b.window_no + 1;
        b.window_taken := 0;
        b.remaining := NULL;
        b.resets_at := NULL;
        b.estimated := false;
    END IF;

    b.blocked_until := etl.credible_time(b.blocked_until, b.blocked_within, p_now);
    IF b.blocked_until > p_now THEN
        reason := 'blocked';
        until := b.blocked_until;
    ELSIF b.remaining IS NULL THEN
        IF etl.credible_time(b.probing_until, probe_seconds, p_now) > p_now THEN
            reason := 'probing';
            until := least(b.probing_until, p_now + interval '0.5 seconds');
        ELSE
            -- An answered probe left null behind; one that ran out of time may still be counted by the API.
            b.window_taken := CASE WHEN b.probing_until IS NULL THEN 1 ELSE b.window_taken + 1 END;
            b.probing_until := p_now + probe;
        END IF;
    ELSIF b.remaining = 0 THEN
        reason := 'empty';
        until := b.resets_at + margin;
    ELSIF NOT p_urgent AND b.remaining <= floor(coalesce(b.call_limit, p_default_limit) * p_reserve) THEN
        reason := 'reserve';
        until := b.resets_at + margin;
    ELSE
        b.remaining := b.remaining - 1;
        b.window_taken := b.window_taken + 1;
    END IF;

    granted := reason IS NULL;
    window_no := b.window_no;
    reason := coalesce(reason, 'granted');
    wait_seconds := CASE WHEN granted THEN 0 ELSE greatest(0, round(extract(epoch FROM until - p_now)::numeric, 3)) END;

    UPDATE etl.api_budget x
       SET window_no = b.window_no, window_taken = b.window_taken, remaining = b.remaining, resets_at = b.resets_at,
           estimated = b.estimated, probing_until = b.probing_until, blocked_until = b.blocked_until,
           taken_total = x.taken_total + granted::integer, refused_total = x.refused_total + (NOT granted)::integer,
           updated_at = p_now
     WHERE x.connection = p_connection AND x.entity = bucket;

    IF granted AND half_open THEN
        reason := 'half-open';
        UPDATE etl.api_circuit x
           SET state = 'HALF_OPEN', probing_until = p_now + probe, updated_at = p_now
         WHERE x.connection = p_connection;
    END IF;
END;
$$;

-- The API answered: it is alive, and its figures tighten the window that the call was taken from.
-- p_latency: seconds between sending and receiving, within which the API computed p_resets_in.
-- p_answered false: an error answer; those carry no figures and prove nothing about the limit.
CREATE OR REPLACE FUNCTION etl.settle_api_call(
    p_connection       text,
    p_entity           text,
    p_bucket           text,
    p_window_no        bigint,
    p_remaining        bigint,
    p_resets_in        double precision,
    p_limit            bigint           DEFAULT NULL,
    p_requested_entity text             DEFAULT NULL,
    p_latency          double precision DEFAULT 0,
    p_answered         boolean          DEFAULT true,
    p_default_limit    integer          DEFAULT 2000,
    p_window_seconds   integer          DEFAULT 3600,
    p_now              timestamptz      DEFAULT clock_timestamp()
) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target         text := coalesce(nullif(p_requested_entity, ''), p_bucket);
    -- greatest() and least() ignore nulls, and a figure that was not reported must stay null.
    reported       integer := CASE WHEN p_remaining IS NOT NULL THEN least(greatest(p_remaining, 0), 2147483646) END;
    reported_limit integer := nullif(least(greatest(p_limit, 0), 2147483647), 0);
    -- The true reset lies between these two; the later one is the safe one to wait for.
    latest         timestamptz := CASE WHEN p_resets_in IS NOT NULL
                                       THEN p_now + make_interval(secs => least(greatest(p_resets_in, 0), 86400)) END;
    earliest       timestamptz := latest - make_interval(secs => p_latency);
    late           boolean;
    b              etl.api_budget;
BEGIN
    UPDATE etl.api_circuit x
       SET state = 'CLOSED', failures = 0, first_failure_at = NULL, open_seconds = NULL, open_until = NULL,
           probing_until = NULL, updated_at = p_now
     WHERE x.connection = p_connection AND (x.state <> 'CLOSED' OR x.failures > 0);

    IF target <> p_bucket THEN
        -- The API books these calls under another name than we thought: remember it, and free the probe taken here.
        INSERT INTO etl.api_budget (connection, entity) VALUES (p_connection, target) ON CONFLICT DO NOTHING;
        PERFORM 1 FROM etl.api_budget x
          WHERE x.connection = p_connection AND x.entity IN (p_entity, p_bucket, target) ORDER BY x.entity FOR UPDATE;
        UPDATE etl.api_budget x SET answers_as = nullif(target, x.entity), updated_at = p_now
         WHERE x.connection = p_connection AND x.entity = p_entity;
        UPDATE etl.api_budget x SET probing_until = NULL, updated_at = p_now
         WHERE x.connection = p_connection AND x.entity = p_bucket AND x.window_no = p_window_no;
    END IF;

    SELECT * INTO b FROM etl.api_budget x WHERE x.connection = p_connection AND x.entity = target FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;  -- the row was removed by hand meanwhile: the next call starts a new one
    END IF;

    late := target = p_bucket AND b.window_no <> p_window_no;
    IF late AND NOT coalesce(b.resets_at BETWEEN earliest - interval '2 seconds' AND latest + interval '2 seconds', false)
    THEN
        RETURN;  -- news of a window that is over
    END IF;

    IF reported IS NULL THEN
        IF p_answered AND b.remaining IS NULL THEN
            b.call_limit := coalesce(reported_limit, b.call_limit, p_default_limit);
            b.remaining := greatest(0, b.call_limit - b.window_taken);
            b.resets_at := p_now + make_interval(secs => p_window_seconds);
            b.estimated := true;
        END IF;
    ELSIF NOT b.estimated AND p_now >= b.resets_at - interval '1 second'
          AND earliest > b.resets_at + interval '2 seconds' THEN
        -- The API's next window has begun, within the margin by which we end ours later.
        b.window_no := b.window_no + 1;
        b.window_taken := 1;
        b.call_limit := coalesce(reported_limit, greatest(b.call_limit, reported + 1));
        b.remaining := least(reported, b.call_limit);
        b.resets_at := latest;
    ELSE
        -- A response without a limit: the first remaining figure of a window, plus this call, is the limit.
        b.call_limit := coalesce(reported_limit, CASE WHEN b.estimated THEN reported + greatest(b.window_taken, 1)
                                                      ELSE greatest(b.call_limit, reported + 1) END);
        b.remaining := least(b.remaining, reported, greatest(0, b.call_limit - b.window_taken));
        b.resets_at := CASE WHEN b.estimated THEN coalesce(latest, b.resets_at)
                            ELSE coalesce(least(b.resets_at, latest), p_now + make_interval(secs => p_window_seconds)) END;
        b.estimated := false;
    END IF;

    UPDATE etl.api_budget x
       SET window_no = b.window_no, window_taken = b.window_taken, call_limit = b.call_limit, remaining = b.remaining,
           resets_at = b.resets_at, estimated = b.estimated, probing_until = NULL,
           resets_within = CASE WHEN b.resets_at IS DISTINCT FROM x.resets_at
                                THEN extract(epoch FROM b.resets_at - p_now) ELSE x.resets_within END,
           limited_streak = CASE WHEN p_answered THEN 0 ELSE x.limited_streak END, updated_at = p_now
     WHERE x.connection = p_connection AND x.entity = target;
END;
$$;

-- The API answered 429: nobody may call this bucket until the time returned.
-- p_retry_after: the seconds that this refusal names, null when it names none; then the reset that is known of a window
-- that is used up (p_exhausted) stands. Otherwise it is a short burst: quota is left, only the pace was too high.
CREATE OR REPLACE FUNCTION etl.block_api(
    p_connection  text,
    p_bucket      text,
    p_window_no   bigint,
    p_retry_after double precision DEFAULT NULL,
    p_exhausted   boolean          DEFAULT false,
    p_now         timestamptz      DEFAULT clock_timestamp()
) RETURNS timestamptz LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    retry_at timestamptz := CASE WHEN p_retry_after IS NOT NULL
                                 THEN p_now + make_interval(secs => least(greatest(p_retry_after, 0), 86400)) END;
    blocked  timestamptz;
    until    timestamptz;
    b        etl.api_budget;
BEGIN
    -- An API that refuses a call is reachable.
    UPDATE etl.api_circuit x
       SET state = 'CLOSED', failures = 0, first_failure_at = NULL, open_seconds = NULL, open_until = NULL,
           probing_until = NULL, updated_at = p_now
     WHERE x.connection = p_connection AND (x.state <> 'CLOSED' OR x.failures > 0);

    SELECT * INTO b FROM etl.api_budget x WHERE x.connection = p_connection AND x.entity = p_bucket FOR UPDATE;
    IF NOT FOUND THEN
        RETURN p_now;
    END IF;

    IF b.window_no <> p_window_no
       AND NOT coalesce(abs(extract(epoch FROM b.resets_at - retry_at)) <= 2, false) THEN
        -- A late refusal: it was about a window that is over.
        UPDATE etl.api_budget x SET rate_limited_total = x.rate_limited_total + 1, updated_at = p_now
         WHERE x.connection = p_connection AND x.entity = p_bucket;
        RETURN p_now;
    END IF;

    blocked := etl.credible_time(b.blocked_until, b.blocked_within, p_now);
    -- While calls rest none is granted: this one was made beside the one that was refused first.
    IF blocked IS NULL OR blocked <= p_now THEN
        b.limited_streak := b.limited_streak + 1;
    END IF;
    -- Without a time of its own, the refusal says nothing against what is known.
    until := coalesce(retry_at, blocked);
    IF p_exhausted THEN
        IF retry_at IS NULL THEN
            until := greatest(until, coalesce(etl.credible_time(b.resets_at, b.resets_within, p_now),
                                              p_now + make_interval(secs => least(900, 30 * 2 ^ least(b.limited_streak - 1, 10)))));
        END IF;
        until := greatest(until, p_now + etl.shortest_rest(b.limited_streak));
        -- What is left then is unknown: one call will tell.
        b.remaining := 0;
        b.resets_at := until;
        b.estimated := false;
    ELSE
        until := greatest(until, p_now + etl.shortest_rest(b.limited_streak));
    END IF;

    UPDATE etl.api_budget x
       SET remaining = b.remaining, resets_at = b.resets_at, estimated = b.estimated, probing_until = NULL,
           resets_within = CASE WHEN b.resets_at IS DISTINCT FROM x.resets_at
                                THEN extract(epoch FROM b.resets_at - p_now) ELSE x.resets_within END,
           blocked_until = until, blocked_within = extract(epoch FROM until - p_now),
           limited_streak = b.limited_streak, rate_limited_total = x.rate_limited_total + 1, updated_at = p_now
     WHERE x.connection = p_connection AND x.entity = p_bucket;
    RETURN until;
END;
$$;

-- A call ended without a usable answer. p_threshold of them in a row within p_within_seconds open the circuit for
-- p_open_seconds; each probe that fails afterwards doubles the rest, up to p_cap_seconds.
CREATE OR REPLACE FUNCTION etl.api_call_failed(
    p_connection     text,
    p_bucket         text,
    p_window_no      bigint,
    p_threshold      integer          DEFAULT 10,
    p_within_seconds double precision DEFAULT 120,
    p_open_seconds   double precision DEFAULT 30,
    p_cap_seconds    double precision DEFAULT 600,
    p_now            timestamptz      DEFAULT clock_timestamp(),
    OUT opened     boolean,
    OUT open_until timestamptz
) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c etl.api_circuit;
BEGIN
    opened := false;
    INSERT INTO etl.api_circuit (connection) VALUES (p_connection) ON CONFLICT DO NOTHING;
    SELECT * INTO c FROM etl.api_circuit x WHERE x.connection = p_connection FOR UPDATE;

    IF c.state = 'CLOSED' THEN
        IF c.first_failure_at BETWEEN p_now - make_interval(secs => p_within_seconds) AND p_now + interval '1 second' THEN
            c.failures := c.failures + 1;
        ELSE
            c.failures := 1;
            c.first_failure_at := p_now;
        END IF;
        IF c.failures >= p_threshold THEN
            opened := true;
            c.open_seconds := p_open_seconds;
        END IF;
    ELSIF c.state = 'HALF_OPEN' THEN
        opened := true;
        c.open_seconds := least(p_cap_seconds, c.open_seconds * 2);
    END IF;  -- OPEN: a call from before the circuit opened; its failure changes nothing

    IF opened THEN
        c.state := 'OPEN';
        c.open_until := p_now + make_interval(secs => c.open_seconds);
        c.probing_until := NULL;
        c.failures := 0;
        c.first_failure_at := NULL;
    END IF;
    open_until := c.open_until;

    UPDATE etl.api_circuit x
       SET state = c.state, failures = c.failures, first_failure_at = c.first_failure_at, open_seconds = c.open_seconds,
           open_until = c.open_until, probing_until = c.probing_until,
           opened_total = x.opened_total + opened::integer, updated_at = p_now
     WHERE x.connection = p_connection;

    -- A failed probe makes room for the next one.
    UPDATE etl.api_budget x SET probing_until = NULL, updated_at = p_now
     WHERE x.connection = p_connection AND x.entity = p_bucket AND x.window_no = p_window_no
       AND x.probing_until IS NOT NULL;
END;
$$;
