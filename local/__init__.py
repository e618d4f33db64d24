"""What `make run` and `./etl` start on one machine without Docker: PostgreSQL, the API sandbox, Airflow."""
