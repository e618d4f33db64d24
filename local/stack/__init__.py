"""The local stack.

`stack` starts and stops its parts: `postgres` (with `postgres_programs`), the API sandbox, and `airflow`, whose REST
API `airflow_api` calls; `processes` keeps them running. `settings` reads the environment, `checks` tests it before the
start, `warehouse` and `queries` read the warehouse, `files` holds the state folder.
"""
