"""Sportmonks football data into PostgreSQL, run by Airflow."""
