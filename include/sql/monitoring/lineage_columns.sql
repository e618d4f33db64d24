-- Columns of tables, in their order: table with its schema, column, type, what it is.
SELECT n.nspname || '.' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname || '.' || c.relname = ANY (%(tables)s)
ORDER BY c.relname, a.attnum;
