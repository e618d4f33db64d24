-- Gives: round_id, season_id. The rounds of the current seasons that have begun.
SELECT r.id AS round_id, r.season_id
  FROM football.rounds r
  JOIN football.seasons s ON s.id = r.season_id
 WHERE s.is_current AND r.starting_at <= CURRENT_DATE
 ORDER BY r.season_id, r.starting_at, r.id
