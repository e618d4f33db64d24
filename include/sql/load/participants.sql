-- Teams as they come with their fixtures; what a smaller answer leaves out stays.
-- Only new and changed ones reach the INSERT: it would lock every team of the season until the commit, and so
-- make the chunk's second writer wait.
WITH sent AS MATERIALIZED (
    SELECT DISTINCT ON (r.id) r.*, i.collected_at
    FROM incoming i
    CROSS JOIN LATERAL jsonb_to_recordset(i.participants) AS r(
            id bigint, country_id bigint, venue_id bigint, name text, short_code text, type text, gender text,
            founded integer, placeholder boolean, image_path text)
    WHERE r.id IS NOT NULL
    ORDER BY r.id, i.fixture_id DESC
), merged AS (
    SELECT s.id, coalesce(s.country_id, t.country_id) AS country_id, coalesce(s.venue_id, t.venue_id) AS venue_id,
           coalesce(s.name, t.name) AS name, coalesce(s.short_code, t.short_code) AS short_code,
           coalesce(s.type, t.type) AS type, coalesce(s.gender, t.gender) AS gender,
           coalesce(s.founded, t.founded) AS founded, coalesce(s.placeholder, t.placeholder) AS placeholder,
           coalesce(s.image_path, t.image_path) AS image_path, s.collected_at
    FROM sent s
    LEFT JOIN football.teams t ON t.id = s.id
    WHERE t.id IS NULL
       OR (coalesce(s.country_id, t.country_id), coalesce(s.venue_id, t.venue_id), coalesce(s.name, t.name),
           coalesce(s.short_code, t.short_code), coalesce(s.type, t.type), coalesce(s.gender, t.gender),
           coalesce(s.founded, t.founded), coalesce(s.placeholder, t.placeholder), coalesce(s.image_path, t.image_path))
          IS DISTINCT FROM
          (t.country_id, t.venue_id, t.name, t.short_code, t.type, t.gender, t.founded, t.placeholder, t.image_path)
)
INSERT INTO football.teams (id, country_id, venue_id, name, short_code, type, gender, founded, placeholder, image_path,
                            created_at, updated_at)
SELECT id, country_id, venue_id, name, short_code, type, gender, founded, placeholder, image_path, collected_at, collected_at
FROM merged
ORDER BY id
ON CONFLICT (id) DO UPDATE
    SET country_id = excluded.country_id, venue_id = excluded.venue_id, name = excluded.name,
        short_code = excluded.short_code, type = excluded.type, gender = excluded.gender, founded = excluded.founded,
        placeholder = excluded.placeholder, image_path = excluded.image_path, updated_at = excluded.updated_at;
-- Who plays where in the changed fixtures.
WITH sent AS MATERIALIZED (
    SELECT DISTINCT ON (i.fixture_id, r.id)
           i.fixture_id, r.id AS team_id, r.meta ->> 'location' AS location, etl.to_bool(r.meta ->> 'winner') AS winner,
           etl.to_int(r.meta ->> 'position') AS position, r.name, i.collected_at
    FROM incoming i
    CROSS JOIN LATERAL jsonb_to_recordset(i.participants) AS r(id bigint, name text, meta jsonb)
    WHERE r.id IS NOT NULL
    ORDER BY i.fixture_id, r.id
), gone AS (
    DELETE FROM football.fixture_participants t USING incoming i
    WHERE t.fixture_id = i.fixture_id AND i.known AND i.participants IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM sent s WHERE s.fixture_id = t.fixture_id AND s.team_id = t.team_id)
)
INSERT INTO football.fixture_participants AS t (fixture_id, team_id, location, winner, position, name, created_at, updated_at)
SELECT fixture_id, team_id, location, winner, position, name, collected_at, collected_at
FROM sent
ON CONFLICT (fixture_id, team_id) DO UPDATE
    SET location = excluded.location, winner = excluded.winner, position = excluded.position, name = excluded.name,
        updated_at = excluded.updated_at
    WHERE (t.location, t.winner, t.position, t.name)
          IS DISTINCT FROM (excluded.location, excluded.winner, excluded.position, excluded.name);
