"""Airflow hooks over the API's client, and the package's errors in Airflow's terms."""
