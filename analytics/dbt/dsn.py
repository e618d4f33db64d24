"""Prints the shell commands that set libpq's variables from the connection string in ETL_DBT_DSN."""

from __future__ import annotations

import os
import shlex
import sys

from psycopg2.extensions import parse_dsn  # noqa: TID251 - the driver of dbt, in dbt's environment

VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
}


def main() -> None:
    parts = parse_dsn(os.environ["ETL_DBT_DSN"])
    for name, variable in VARIABLES.items():
        if name in parts:
            sys.stdout.write(f"export {variable}={shlex.quote(parts[name])}\n")


if __name__ == "__main__":
    main()
