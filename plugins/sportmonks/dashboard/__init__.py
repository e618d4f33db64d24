"""The page inside the Airflow UI, its API, and the same figures in a terminal."""
