"""Airflow's face of catalog, plan and collection: thin operators over plain functions."""
