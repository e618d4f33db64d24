"""Airflow's face of the API layer."""
