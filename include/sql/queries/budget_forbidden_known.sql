-- Includes that the plan refused within the last seven days; older ones are tried again, plans change.
SELECT entity, include
  FROM etl.forbidden_includes
 WHERE connection = %(connection)s AND learnt_at > clock_timestamp() - interval '7 days'
 ORDER BY entity, include;
