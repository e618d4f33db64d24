"""The dashboard page inside the Airflow UI, its API, and its queries, which the terminal uses too."""
