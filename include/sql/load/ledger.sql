-- What changed after the fact, one row per field or row.
INSERT INTO etl.fixture_changes (changed_at, fixture_id, league_id, season_id, section, field, before, after, hours_after, execution_id)
SELECT %(now)s, c.fixture_id, %(league_id)s, %(season_id)s, c.section, c.field, c.before, c.after, c.hours, %(execution_id)s
FROM jsonb_to_recordset(%(changes)s) AS c(
        fixture_id bigint, section text, field text, before jsonb, after jsonb, hours numeric)
