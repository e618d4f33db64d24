"""Sportmonks football data into PostgreSQL, run by Airflow."""

__version__ = "0.2.0"
