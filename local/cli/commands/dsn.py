"""Print the warehouse's connection string, password included, for programs that read it from a file or a variable.

Other users of the machine can read a password on a command line: for psql there is ./etl psql.

--read-only prints that of an account which can only read, for reports and for looking around. For an external
warehouse (SUPABASE_CONNECTION_STRING) it is the same account in read-only transactions; ./etl roles makes a role for
accounts that can only read. With -o json the parts come without the password.
"""

from __future__ import annotations

import argparse

from psycopg.conninfo import conninfo_to_dict

from local.cli.console import err
from local.cli.context import Context
from local.cli.output import configure_output, show
from local.errors import LocalError
from local.stack.airflow import masked

HELP = "print the warehouse's connection string"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--read-only", action="store_true", help="an account or a session that can only read")
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    stack = context.stack
    if not stack.settings.warehouse:
        if stack.postgres.data_dir is None:
            raise LocalError("the embedded PostgreSQL has never been started here", hint="run `./etl up`")
        if not stack.postgres.running():
            err.print("the embedded PostgreSQL is not running: ./etl up")
    dsn = stack.warehouse_reader if args.read_only else stack.warehouse
    parts = conninfo_to_dict(dsn)
    document = {
        "dsn": masked(dsn),
        "host": parts.get("host"),
        "port": parts.get("port"),
        "dbname": parts.get("dbname"),
        "user": parts.get("user"),
        "read_only": args.read_only,
    }
    show(args, document, lambda: print(dsn))
    return 0
