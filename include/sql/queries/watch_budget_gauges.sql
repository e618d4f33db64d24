-- The budgets of this moment as metrics.
INSERT INTO etl.etl_metrics (timestamp, metric_name, metric_value, metric_unit, tags)
SELECT %(now)s, 'api_budget_remaining', remaining, 'calls', jsonb_build_object('entity', entity, 'connection', connection)
FROM etl.api_budget_now WHERE remaining IS NOT NULL;
