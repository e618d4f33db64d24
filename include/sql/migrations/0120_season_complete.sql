-- football.season_complete says more: postponed, and remarks on what the provider itself lacks.
DROP FUNCTION IF EXISTS football.season_complete(bigint, timestamptz);
