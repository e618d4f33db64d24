"""The project on one machine: `make run` and `./etl` start PostgreSQL, the API sandbox and Airflow without Docker.

`cli` holds the commands and their output, `stack` the parts that they start, `deploy` what containers run, and
`accounts` the accounts of the databases of both.
"""
