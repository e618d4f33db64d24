-- Base rows of a season's index: new fixtures, and those of which the index tells something else than what is stored; these
-- are due at once. A key that a row lacks says nothing, nor does null for a fixture that is not collected yet. The provider's
-- lists and its payloads may disagree for long, so the same row makes a fixture due again only after a day, which doubles
-- with every read that brings nothing new; a kick-off or a state that differs makes it due in every index.
WITH sent AS (
    SELECT DISTINCT ON ((e.row ->> 'id')::bigint) (e.row ->> 'id')::bigint AS id,
           (e.row ->> 'league_id')::bigint AS league_id, (e.row ->> 'season_id')::bigint AS season_id,
           e.row - '{id,league_id,season_id}'::text[] AS listed
    FROM jsonb_array_elements(%(rows)s) WITH ORDINALITY AS e(row, place)
    -- Of a fixture that is listed twice the later row counts.
    ORDER BY (e.row ->> 'id')::bigint, e.place DESC
), merged AS (
    SELECT s.id, l.listed, coalesce(s.league_id, f.league_id, %(league_id)s) AS league_id,
           coalesce(s.season_id, f.season_id, %(season_id)s) AS season_id,
           hashtextextended(l.listed::text, 0) AS index_listed, k.stored, etl.to_utc(r.kick_off) AS starting_at, r.*
    FROM sent s
    LEFT JOIN football.fixtures f ON f.id = s.id
    CROSS JOIN LATERAL (SELECT CASE WHEN f.id IS NULL OR f.last_fetched_at IS NOT NULL THEN s.listed
                                    -- A result goes with the state.
                                    ELSE jsonb_strip_nulls(s.listed - 'result_info')
                                         || CASE WHEN s.listed ? 'result_info'
                                                 THEN jsonb_build_object('result_info', s.listed -> 'result_info')
                                                 ELSE '{}' END END AS listed) l
    CROSS JOIN LATERAL (SELECT CASE WHEN f.id IS NULL THEN '{}'::jsonb ELSE jsonb_build_object(
        'stage_id', f.stage_id, 'round_id', f.round_id, 'group_id', f.group_id, 'aggregate_id', f.aggregate_id,
        'venue_id', f.venue_id, 'state_id', f.state_id, 'name', f.name, 'result_info', f.result_info, 'leg', f.leg,
        'details', f.details, 'length', f.length, 'placeholder', f.placeholder, 'has_odds', f.has_odds,
        'has_premium_odds', f.has_premium_odds,
        'starting_at', to_char(f.starting_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')) END AS stored) k
    CROSS JOIN LATERAL (SELECT x.*, k.stored || l.listed ->> 'starting_at' AS kick_off
        FROM jsonb_to_record(k.stored || l.listed) AS x(
            stage_id bigint, round_id bigint, group_id bigint, aggregate_id bigint, venue_id bigint, state_id bigint, name text,
            result_info text, leg text, details text, length integer, placeholder boolean, has_odds boolean,
            has_premium_odds boolean)) r
), news AS (
    SELECT m.*
    FROM merged m
    LEFT JOIN football.fixtures f ON f.id = m.id
    WHERE f.id IS NULL
       OR (f.deleted_at IS NULL
           AND (m.state_id IS DISTINCT FROM f.state_id
                OR m.starting_at IS DISTINCT FROM f.starting_at
                OR m.season_id IS DISTINCT FROM f.season_id
                OR f.index_missing_at IS NOT NULL
                OR (NOT m.stored @> m.listed
                    AND (f.last_fetched_at IS NULL OR f.index_listed IS DISTINCT FROM m.index_listed
                         OR f.last_fetched_at + interval '20 hours' * 2 ^ least(f.unchanged_reads, 5) <= %(now)s))))
       -- A tombstone comes back when it is listed with a state, and that is not deleted.
       OR (f.deleted_at IS NOT NULL AND m.listed ->> 'state_id' <> '20')
), recorded AS (
    INSERT INTO etl.fixture_changes (changed_at, fixture_id, league_id, season_id, section, field, before, after, hours_after)
    SELECT %(now)s, f.id, f.league_id, f.season_id, 'fixture', 'deleted', 'true', 'false',
           round(extract(epoch FROM %(now)s::timestamptz - f.ended_at) / 3600, 2)
    FROM news JOIN football.fixtures f USING (id)
    WHERE f.deleted_at IS NOT NULL
), written AS (
    INSERT INTO football.fixtures AS f (
        id, league_id, season_id, stage_id, round_id, group_id, aggregate_id, venue_id, state_id, name, starting_at, result_info,
        leg, details, length, placeholder, has_odds, has_premium_odds, index_listed, next_due_at, due_reason, created_at,
        updated_at)
    SELECT id, league_id, season_id, stage_id, round_id, group_id, aggregate_id, venue_id, state_id, name, starting_at,
           result_info, leg, details, length, placeholder, has_odds, has_premium_odds, index_listed, %(now)s,
           'never_collected', %(now)s, %(now)s
    FROM news
    ORDER BY id
    ON CONFLICT (id) DO UPDATE
        SET collection_status = CASE WHEN f.collection_status = 'DELETED' THEN 'PENDING' ELSE f.collection_status END,
            deleted_at = NULL, index_missing_at = NULL, replaced_by = NULL, index_listed = excluded.index_listed,
            -- Later than the last read, whatever the clocks of the workers say.
            index_changed_at = CASE WHEN f.last_fetched_at IS NULL THEN NULL
                                    ELSE greatest(%(now)s, greatest(f.last_fetched_at, f.last_requested_at) + interval '1 microsecond') END,
            next_due_at = %(now)s,
            due_reason = CASE WHEN f.last_fetched_at IS NULL THEN f.due_reason ELSE 'changed_in_index' END,
            -- Collected: the payload decides, so that what is stored of a match always belongs together; only a tombstone
            -- that has come back must not look deleted.
            state_id = CASE WHEN f.last_fetched_at IS NULL OR f.deleted_at IS NOT NULL THEN excluded.state_id
                            ELSE f.state_id END,
            -- Not collected yet: the index is all there is.
            (league_id, season_id, stage_id, round_id, group_id, aggregate_id, venue_id, name, starting_at, result_info, leg,
             details, length, placeholder, has_odds, has_premium_odds) = (
                SELECT excluded.league_id, excluded.season_id, excluded.stage_id, excluded.round_id, excluded.group_id,
                       excluded.aggregate_id, excluded.venue_id, excluded.name, excluded.starting_at, excluded.result_info,
                       excluded.leg, excluded.details, excluded.length, excluded.placeholder, excluded.has_odds,
                       excluded.has_premium_odds
                WHERE f.last_fetched_at IS NULL
                UNION ALL
                SELECT f.league_id, f.season_id, f.stage_id, f.round_id, f.group_id, f.aggregate_id, f.venue_id, f.name,
                       f.starting_at, f.result_info, f.leg, f.details, f.length, f.placeholder, f.has_odds, f.has_premium_odds
                WHERE f.last_fetched_at IS NOT NULL),
            updated_at = CASE WHEN f.last_fetched_at IS NULL OR f.deleted_at IS NOT NULL THEN %(now)s ELSE f.updated_at END
        WHERE f.index_changed_at IS NULL OR f.index_missing_at IS NOT NULL OR f.deleted_at IS NOT NULL
           OR f.last_fetched_at IS NULL OR f.index_listed IS DISTINCT FROM excluded.index_listed
    RETURNING (xmax = 0) AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted), (SELECT count(*) FROM sent)
FROM written
