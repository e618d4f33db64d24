"""Planning: which fixtures are due, when and why, in which batches and at what cost. No Airflow, no database driver."""
