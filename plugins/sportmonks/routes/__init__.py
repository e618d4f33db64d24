"""Raw routes: any paged JSON API into a raw table of its own, declared by a YAML file. Nothing here imports Airflow."""
