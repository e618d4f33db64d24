-- Analysts ask for seasons, and season ids are the provider's own: unique without their league.
CREATE INDEX IF NOT EXISTS idx_fixtures_season ON football.fixtures (season_id, starting_at);
