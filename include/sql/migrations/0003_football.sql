-- The data: newest payloads (raw) and typed tables (football). Ids are the provider's, all bigint.
-- No foreign keys between provider tables: the provider refers to rows that its plans do not deliver.
-- updated_at moves only when a row really changed; the loader's statements see to it.

CREATE TABLE IF NOT EXISTS raw.fixtures (
    fixture_id     bigint      PRIMARY KEY,
    payload        jsonb       NOT NULL,
    content_hash   bytea       NOT NULL,           -- over the content; order of rows and fields that change for no reason left out
    includes       text[]      NOT NULL,
    reference_date date,                           -- day of the kick-off (UTC)
    collected_at   timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- lz4 packs a payload several times faster than the default; not every server is built with it.
DO $$
BEGIN
    ALTER TABLE raw.fixtures ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    NULL;
END $$;

CREATE TABLE IF NOT EXISTS football.states (
    id bigint PRIMARY KEY, state text, name text, short_name text, developer_name text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.types (
    id bigint PRIMARY KEY, name text, code text, developer_name text, model_type text, stat_group text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.leagues (
    id bigint PRIMARY KEY, country_id bigint, name text, short_code text, type text, sub_type text, category integer,
    active boolean, image_path text, last_played_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.seasons (
    id bigint PRIMARY KEY, league_id bigint NOT NULL, name text, is_current boolean NOT NULL DEFAULT false,
    finished boolean, pending boolean, starting_at date, ending_at date,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX IF NOT EXISTS idx_seasons_league ON football.seasons (league_id);
CREATE TABLE IF NOT EXISTS football.stages (
    id bigint PRIMARY KEY, league_id bigint, season_id bigint, type_id bigint, name text, sort_order integer,
    finished boolean, is_current boolean, starting_at date, ending_at date,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.rounds (
    id bigint PRIMARY KEY, league_id bigint, season_id bigint, stage_id bigint, name text,
    finished boolean, is_current boolean, starting_at date, ending_at date,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.teams (
    id bigint PRIMARY KEY, country_id bigint, venue_id bigint, name text, short_code text, type text, gender text,
    founded integer, placeholder boolean, image_path text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS football.venues (
    id bigint PRIMARY KEY, country_id bigint, city_id bigint, name text, city_name text, address text, capacity integer,
    surface text, latitude numeric, longitude numeric, image_path text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp());

-- PENDING (seen in an index only) -> COLLECTED; FAILED (cannot be read), MISSING (asked, not returned), DELETED (tombstone).
CREATE TABLE IF NOT EXISTS football.fixtures (
    id                bigint      PRIMARY KEY,
    league_id         bigint      NOT NULL,
    season_id         bigint      NOT NULL,
    stage_id          bigint,
    round_id          bigint,
    group_id          bigint,
    aggregate_id      bigint,
    venue_id          bigint,
    state_id          bigint,
    name              text,
    starting_at       timestamptz,
    result_info       text,
    leg               text,
    details           text,
    length            integer,
    placeholder       boolean,
    has_odds          boolean,
    has_premium_odds  boolean,
    home_team_id      bigint,
    away_team_id      bigint,
    home_goals        integer,
    away_goals        integer,
    quality_score     smallint,
    -- Bookkeeping of the collector from here on; updated_at does not move with it.
    collection_status text        NOT NULL DEFAULT 'PENDING',
    ended_at          timestamptz,                -- end of play by the periods, else estimated from the kick-off
    first_fetched_at  timestamptz,
    last_fetched_at   timestamptz,                -- last answer that held it
    last_asked_at     timestamptz,                -- last call that named it
    last_changed_at   timestamptz,                -- last read that brought something new
    unchanged_reads   integer     NOT NULL DEFAULT 0,
    held_reads        integer     NOT NULL DEFAULT 0,   -- reads in a row that the shrink guard held back or doubted
    held_hash         bytea,                      -- what is lost in them; content_hash = the stored payload is doubted
    missing_reads     integer     NOT NULL DEFAULT 0,   -- asked in a row, not returned
    failed_reads      integer     NOT NULL DEFAULT 0,
    last_error        text,
    index_changed_at  timestamptz,                -- the index showed another kick-off or state than stored
    index_missing_at  timestamptz,                -- no longer in the season's complete index since
    deleted_at        timestamptz,
    next_due_at       timestamptz,
    due_reason        text,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT fixtures_status_known CHECK (collection_status IN ('PENDING', 'COLLECTED', 'FAILED', 'MISSING', 'DELETED')),
    CONSTRAINT fixtures_quality_in_range CHECK (quality_score BETWEEN 0 AND 100),
    CONSTRAINT fixtures_tombstone_dated CHECK ((collection_status = 'DELETED') = (deleted_at IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS idx_fixtures_chunk ON football.fixtures (league_id, season_id, starting_at);
CREATE INDEX IF NOT EXISTS idx_fixtures_starting_at ON football.fixtures (starting_at);

-- Child tables are keyed by fixture first: a fixture's rows lie together and are replaced together.
-- A row that the provider sends without an id gets its place in the list as a negative one.
CREATE TABLE IF NOT EXISTS football.fixture_participants (
    fixture_id bigint NOT NULL, team_id bigint NOT NULL, location text, winner boolean, position integer, name text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, team_id));
CREATE INDEX IF NOT EXISTS idx_fixture_participants_team ON football.fixture_participants (team_id);
CREATE TABLE IF NOT EXISTS football.fixture_scores (
    fixture_id bigint NOT NULL, id bigint NOT NULL, type_id bigint, participant_id bigint, goals integer,
    participant text, description text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));
CREATE TABLE IF NOT EXISTS football.fixture_events (
    fixture_id bigint NOT NULL, id bigint NOT NULL, period_id bigint, participant_id bigint, type_id bigint, sub_type_id bigint,
    player_id bigint, related_player_id bigint, coach_id bigint, player_name text, related_player_name text,
    result text, info text, addition text, minute integer, extra_minute integer, injured boolean, on_bench boolean,
    rescinded boolean, sort_order integer, section text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));
CREATE TABLE IF NOT EXISTS football.fixture_lineups (
    fixture_id bigint NOT NULL, id bigint NOT NULL, player_id bigint, team_id bigint, position_id bigint, type_id bigint,
    formation_field text, formation_position integer, player_name text, jersey_number integer,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));
CREATE INDEX IF NOT EXISTS idx_fixture_lineups_player ON football.fixture_lineups (player_id);
CREATE TABLE IF NOT EXISTS football.fixture_player_statistics (
    fixture_id bigint NOT NULL, id bigint NOT NULL, lineup_id bigint, player_id bigint, team_id bigint, type_id bigint,
    value numeric,                                  -- numbers; true and false as 1 and 0
    value_text text,                                -- whatever is not a number
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));
CREATE TABLE IF NOT EXISTS football.fixture_statistics (
    fixture_id bigint NOT NULL, id bigint NOT NULL, type_id bigint, participant_id bigint, location text,
    value numeric, value_text text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));
CREATE TABLE IF NOT EXISTS football.fixture_periods (
    fixture_id bigint NOT NULL, id bigint NOT NULL, type_id bigint, description text, started_at timestamptz, ended_at timestamptz,
    counts_from integer, ticking boolean, sort_order integer, time_added integer, minutes integer,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, id));

-- The ledger: what the provider changed after a fixture had been collected. Append-only.
CREATE TABLE IF NOT EXISTS etl.fixture_changes (
    change_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    fixture_id   bigint      NOT NULL,
    league_id    bigint,
    season_id    bigint,
    section      text        NOT NULL,              -- an include, or 'fixture' for a field of the fixture itself
    field        text,
    before       jsonb,
    after        jsonb,
    hours_after  numeric(12,2),                     -- after the end of the match; empty before it
    execution_id text
);
CREATE INDEX IF NOT EXISTS idx_fixture_changes_fixture ON etl.fixture_changes (fixture_id, change_id DESC);
CREATE INDEX IF NOT EXISTS idx_fixture_changes_time ON etl.fixture_changes (changed_at DESC);
