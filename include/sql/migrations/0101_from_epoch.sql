-- The function that turns seconds since 1970 into a time is etl.from_epoch in functions/casts.sql; its old name goes.
DROP FUNCTION IF EXISTS etl.to_moment(bigint);
