"""Airflow operators over plain functions: catalog, leagues and raw routes."""
