-- The lists of the payloads whose rows the client has not read, taken out of each in one go; what is no list says nothing.
UPDATE incoming
SET (participants, scores, events, statistics, periods, lineups) = (
    SELECT CASE jsonb_typeof(r.participants) WHEN 'array' THEN r.participants END,
           CASE jsonb_typeof(r.scores) WHEN 'array' THEN r.scores END,
           CASE jsonb_typeof(r.events) WHEN 'array' THEN r.events END,
           CASE jsonb_typeof(r.statistics) WHEN 'array' THEN r.statistics END,
           CASE jsonb_typeof(r.periods) WHEN 'array' THEN r.periods END,
           CASE jsonb_typeof(r.lineups) WHEN 'array' THEN jsonb_array_length(r.lineups) END
    FROM jsonb_to_record(coalesce(cleaned, payload)) AS r(
        participants jsonb, scores jsonb, events jsonb, statistics jsonb, periods jsonb, lineups jsonb))
WHERE sections IS NULL;
UPDATE incoming
SET sections = array_remove(ARRAY[
        CASE WHEN participants IS NOT NULL THEN 'participants' END, CASE WHEN scores IS NOT NULL THEN 'scores' END,
        CASE WHEN events IS NOT NULL THEN 'events' END, CASE WHEN statistics IS NOT NULL THEN 'statistics' END,
        CASE WHEN periods IS NOT NULL THEN 'periods' END, CASE WHEN lineups IS NOT NULL THEN 'lineups' END,
        -- Lineups requested without details say nothing of them; an empty list of lineups has none.
        CASE WHEN lineups = 0 OR jsonb_path_exists(coalesce(cleaned, payload), '$.lineups[*].details')
             THEN 'lineups.details' END], NULL)
WHERE sections IS NULL;
