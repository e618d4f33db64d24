-- The decision on every fixture of the batch, in the collector's columns, and of the saved ones the provider's columns,
-- with teams, goals and quality drawn from their sections. Runs after the sections; each fixture is written once.
-- updated_at moves only when a column of the provider's does.
-- Quality: of the sections that were requested, the weighted share (0 to 100) that is as complete as the fixture's state
-- requires. A section that cannot be read is not complete.
WITH decided AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(decisions)s) AS d(
        fixture_id bigint, status text, returned boolean, changed boolean, league_id bigint, season_id bigint,
        ended_at timestamptz, unchanged_reads integer, held_reads integer, held_hash bytea, missing_reads integer,
        failed_reads integer, error text, suspected text, next_due_at timestamptz, due_reason text, sent jsonb,
        counts jsonb, unreadable jsonb, as_sent bytea, in_order bytea)
), sent AS (
    SELECT d.fixture_id, r.*, etl.to_utc(r.starting_at) AS kick_off, p.home_team_id, p.away_team_id,
           g.home_goals, g.away_goals, q.quality
    FROM decided d
    CROSS JOIN LATERAL jsonb_to_record(d.sent) AS r(
        stage_id bigint, round_id bigint, group_id bigint, aggregate_id bigint, venue_id bigint, state_id bigint, name text,
        starting_at text, result_info text, leg text, details text, length integer, placeholder boolean, has_odds boolean,
        has_premium_odds boolean)
    -- Rows by section; NULL = the payload says nothing of it.
    CROSS JOIN LATERAL jsonb_to_record(d.counts) AS n(
        participants integer, scores integer, events integer, lineups integer, statistics integer, periods integer)
    CROSS JOIN LATERAL (
        SELECT max(team_id) FILTER (WHERE location = 'home') AS home_team_id,
               max(team_id) FILTER (WHERE location = 'away') AS away_team_id, count(*) AS teams
        FROM football.fixture_participants WHERE fixture_id = d.fixture_id) p
    CROSS JOIN LATERAL (
        SELECT max(goals) FILTER (WHERE participant = 'home') AS home_goals,
               max(goals) FILTER (WHERE participant = 'away') AS away_goals
        FROM football.fixture_scores WHERE fixture_id = d.fixture_id AND description = 'CURRENT') g
    CROSS JOIN LATERAL (
        SELECT round(100.0 * sum(weight) FILTER (WHERE good AND NOT unreadable) / nullif(sum(weight), 0))::smallint AS quality
        FROM (VALUES
            (10, false, true, r.state_id IS NOT NULL AND r.starting_at IS NOT NULL),
            (20, d.unreadable ? 'participants', n.participants IS NOT NULL, p.teams >= 2),
            (25, d.unreadable ? 'scores', n.scores IS NOT NULL AND r.state_id IN (5, 7, 8),
                 g.home_goals IS NOT NULL AND g.away_goals IS NOT NULL),
            (15, d.unreadable ? 'events', n.events IS NOT NULL AND r.state_id IN (5, 7, 8),
                 n.events > 0 OR coalesce(g.home_goals + g.away_goals, 0) = 0),
            (15, d.unreadable ? 'lineups', n.lineups IS NOT NULL AND r.state_id IN (5, 7, 8), n.lineups >= 22),
            (10, d.unreadable ? 'statistics', n.statistics IS NOT NULL AND r.state_id IN (5, 7, 8), n.statistics > 0),
            (5, d.unreadable ? 'periods', n.periods IS NOT NULL AND r.state_id IN (5, 7, 8), n.periods >= 2)
        ) AS part(weight, unreadable, applies, good) WHERE unreadable OR applies) q
    WHERE d.changed
)
UPDATE football.fixtures f
SET league_id         = coalesce(d.league_id, f.league_id),
    season_id         = coalesce(d.season_id, f.season_id),
    stage_id          = CASE WHEN d.changed THEN s.stage_id ELSE f.stage_id END,
    round_id          = CASE WHEN d.changed THEN s.round_id ELSE f.round_id END,
    group_id          = CASE WHEN d.changed THEN s.group_id ELSE f.group_id END,
    aggregate_id      = CASE WHEN d.changed THEN s.aggregate_id ELSE f.aggregate_id END,
    venue_id          = CASE WHEN d.changed THEN s.venue_id ELSE f.venue_id END,
    state_id          = CASE WHEN d.changed THEN s.state_id ELSE f.state_id END,
    name              = CASE WHEN d.changed THEN s.name ELSE f.name END,
    starting_at       = CASE WHEN d.changed THEN s.kick_off ELSE f.starting_at END,
    result_info       = CASE WHEN d.changed THEN s.result_info ELSE f.result_info END,
    leg               = CASE WHEN d.changed THEN s.leg ELSE f.leg END,
    details           = CASE WHEN d.changed THEN s.details ELSE f.details END,
    length            = CASE WHEN d.changed THEN s.length ELSE f.length END,
    placeholder       = CASE WHEN d.changed THEN s.placeholder ELSE f.placeholder END,
    has_odds          = CASE WHEN d.changed THEN s.has_odds ELSE f.has_odds END,
    has_premium_odds  = CASE WHEN d.changed THEN s.has_premium_odds ELSE f.has_premium_odds END,
    home_team_id      = CASE WHEN d.changed THEN s.home_team_id ELSE f.home_team_id END,
    away_team_id      = CASE WHEN d.changed THEN s.away_team_id ELSE f.away_team_id END,
    home_goals        = CASE WHEN d.changed THEN s.home_goals ELSE f.home_goals END,
    away_goals        = CASE WHEN d.changed THEN s.away_goals ELSE f.away_goals END,
    quality_score     = CASE WHEN d.changed THEN s.quality ELSE f.quality_score END,
    updated_at        = CASE WHEN d.league_id <> f.league_id OR d.season_id <> f.season_id OR d.changed AND (
                              f.stage_id, f.round_id, f.group_id, f.aggregate_id, f.venue_id, f.state_id, f.name, f.starting_at,
                              f.result_info, f.leg, f.details, f.length, f.placeholder, f.has_odds, f.has_premium_odds,
                              f.home_team_id, f.away_team_id, f.home_goals, f.away_goals, f.quality_score)
                            IS DISTINCT FROM (
                              s.stage_id, s.round_id, s.group_id, s.aggregate_id, s.venue_id, s.state_id, s.name, s.kick_off,
                              s.result_info, s.leg, s.details, s.length, s.placeholder, s.has_odds, s.has_premium_odds,
                              s.home_team_id, s.away_team_id, s.home_goals, s.away_goals, s.quality)
                        THEN %(now)s ELSE f.updated_at END,
    collection_status = d.status,
    ended_at          = d.ended_at,
    first_fetched_at  = CASE WHEN d.returned THEN coalesce(f.first_fetched_at, %(now)s) ELSE f.first_fetched_at END,
    last_fetched_at   = CASE WHEN d.returned THEN %(now)s ELSE f.last_fetched_at END,
    last_requested_at = %(now)s,
    read_includes     = CASE WHEN d.returned THEN %(includes)s::text[] ELSE f.read_includes END,
    last_changed_at   = CASE WHEN d.changed THEN %(now)s ELSE f.last_changed_at END,
    unchanged_reads   = d.unchanged_reads,
    held_reads        = d.held_reads,
    held_hash         = d.held_hash,
    missing_reads     = d.missing_reads,
    failed_reads      = d.failed_reads,
    last_error        = d.error,
    -- Other content has other hashes; an answer without any (it was completed with stored rows) leaves those of the same.
    hash_as_sent      = CASE WHEN d.changed THEN d.as_sent ELSE coalesce(d.as_sent, f.hash_as_sent) END,
    hash_in_order     = CASE WHEN d.changed THEN d.in_order ELSE coalesce(d.in_order, f.hash_in_order) END,
    -- Null leaves what is noted, an empty text takes it back.
    suspected_sections = CASE WHEN d.suspected IS NULL THEN f.suspected_sections ELSE nullif(d.suspected, '') END,
    suspected_at      = CASE WHEN d.suspected IS NULL THEN f.suspected_at
                             WHEN d.suspected <> '' THEN coalesce(f.suspected_at, %(now)s) END,
    -- What the index reported after the call was begun is still to be read.
    index_changed_at  = CASE WHEN NOT d.returned OR f.index_changed_at > %(now)s THEN f.index_changed_at END,
    deleted_at        = CASE WHEN d.status = 'DELETED' THEN coalesce(f.deleted_at, %(now)s) END,
    next_due_at       = d.next_due_at,
    due_reason        = d.due_reason
FROM decided d LEFT JOIN sent s USING (fixture_id)
WHERE f.id = d.fixture_id
