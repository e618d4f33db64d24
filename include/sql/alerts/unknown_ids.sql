-- State and event type ids in the data that the reference tables do not know. Only fixtures that changed in the last
-- two days are looked through; ids once reported stay reported until they are known.
WITH recent AS (
    SELECT id, state_id FROM football.fixtures WHERE last_changed_at > %(now)s::timestamptz - interval '2 days'
), used AS (
    SELECT 'states' AS reference, state_id AS id FROM recent WHERE state_id IS NOT NULL
    UNION
    SELECT 'types', v.type_id FROM recent r JOIN football.fixture_events v ON v.fixture_id = r.id WHERE v.type_id IS NOT NULL
    UNION
    SELECT split_part(a.dedupe_key, ':', 2), i.id::bigint
    FROM etl.etl_alerts a CROSS JOIN LATERAL jsonb_array_elements_text(a.details -> 'ids') AS i(id)
    WHERE a.kind = 'UNKNOWN_IDS' AND a.status <> 'RESOLVED'
), unknown AS (
    SELECT u.reference, u.id FROM used u
    WHERE NOT EXISTS (SELECT 1 FROM football.states s WHERE u.reference = 'states' AND s.id = u.id)
      AND NOT EXISTS (SELECT 1 FROM football.types t WHERE u.reference = 'types' AND t.id = u.id)
)
SELECT 'UNKNOWN_IDS:' || reference AS dedupe_key, 'WARNING' AS severity, 'football.' || reference AS subject,
       format('%%s ids in the data are not in football.%%s: %%s', count(*), reference, left(string_agg(id::text, ', ' ORDER BY id), 200)) AS message,
       'Run the DAG sportmonks_catalog, which reads the reference data; an id it does not bring is new at the provider: look it up there.' AS hint,
       jsonb_build_object('reference', reference, 'ids', jsonb_agg(id ORDER BY id)) AS details,
       NULL::text AS execution_id, NULL::bigint AS league_id, NULL::bigint AS season_id
FROM unknown GROUP BY reference;
