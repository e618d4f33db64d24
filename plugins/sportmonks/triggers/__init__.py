"""Airflow triggers: what a task waits for without a worker slot."""
