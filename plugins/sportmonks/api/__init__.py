"""The Sportmonks API v3 as it is: transport, envelope, errors, paging, budget. Nothing here imports Airflow."""
