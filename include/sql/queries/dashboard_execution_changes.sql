-- What the provider had changed, as this execution found it.
SELECT section, count(*) AS changes, count(DISTINCT fixture_id) AS fixtures
FROM etl.fixture_changes WHERE execution_id = %(execution_id)s GROUP BY section ORDER BY changes DESC, section;
