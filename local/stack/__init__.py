"""The stack on one machine without Docker: PostgreSQL, the API sandbox, Airflow, and their settings."""
