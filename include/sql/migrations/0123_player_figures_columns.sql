-- etl.player_figures names its columns: as rows of the table it failed once somebody had added a column to that.
DROP FUNCTION IF EXISTS etl.player_figures(bigint[], timestamptz);
