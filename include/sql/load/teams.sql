-- Teams as they come with their fixtures; what a smaller answer leaves out stays.
-- Only new and changed ones reach the INSERT: it would lock every team of the season until the commit, and so
-- make the chunk's second writer wait.
WITH sent AS MATERIALIZED (
    SELECT DISTINCT ON (r.id) r.*
    FROM jsonb_to_recordset(%(participants)s) AS i(fixture_id bigint, participants jsonb)
    CROSS JOIN LATERAL jsonb_to_recordset(CASE jsonb_typeof(i.participants) WHEN 'array' THEN i.participants END) AS r(
            id bigint, country_id bigint, venue_id bigint, name text, short_code text, type text, gender text,
            founded integer, placeholder boolean, image_path text)
    WHERE r.id IS NOT NULL
    ORDER BY r.id, i.fixture_id DESC
), merged AS (
    SELECT s.id, coalesce(s.country_id, t.country_id) AS country_id, coalesce(s.venue_id, t.venue_id) AS venue_id,
           coalesce(s.name, t.name) AS name, coalesce(s.short_code, t.short_code) AS short_code,
           coalesce(s.type, t.type) AS type, coalesce(s.gender, t.gender) AS gender,
           coalesce(s.founded, t.founded) AS founded, coalesce(s.placeholder, t.placeholder) AS placeholder,
           coalesce(s.image_path, t.image_path) AS image_path
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
SELECT id, country_id, venue_id, name, short_code, type, gender, founded, placeholder, image_path, %(now)s, %(now)s
FROM merged
ORDER BY id
ON CONFLICT (id) DO UPDATE
    SET country_id = excluded.country_id, venue_id = excluded.venue_id, name = excluded.name,
        short_code = excluded.short_code, type = excluded.type, gender = excluded.gender, founded = excluded.founded,
        placeholder = excluded.placeholder, image_path = excluded.image_path, updated_at = excluded.updated_at
