-- The lists of the incoming payloads, all read out of each in one go; what is no list says nothing.
UPDATE incoming
SET (participants, scores, events, statistics, periods, lineups) = (
    SELECT CASE jsonb_typeof(r.participants) WHEN 'array' THEN r.participants END,
           CASE jsonb_typeof(r.scores) WHEN 'array' THEN r.scores END,
           CASE jsonb_typeof(r.events) WHEN 'array' THEN r.events END,
           CASE jsonb_typeof(r.statistics) WHEN 'array' THEN r.statistics END,
           CASE jsonb_typeof(r.periods) WHEN 'array' THEN r.periods END,
           CASE jsonb_typeof(r.lineups) WHEN 'array' THEN jsonb_array_length(r.lineups) END
    FROM jsonb_to_record(coalesce(cleaned, payload)) AS r(
        participants jsonb, scores jsonb, events jsonb, statistics jsonb, periods jsonb, lineups jsonb));
