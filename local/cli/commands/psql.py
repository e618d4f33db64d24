"""Open psql in the warehouse: ./etl psql, or ./etl psql -- -c "SELECT 1" with arguments of psql.

The password goes to psql in its environment, where other users of the machine cannot see it. --read-only connects as
the account of ./etl dsn --read-only.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local.cli.context import Context
from local.errors import LocalError
from local.stack.postgres_programs import RunAs, find_programs
from local.stack.warehouse import require_postgres

HELP = "open psql in the warehouse"
# Their values stay off psql's command line; for the second OpenSSL asks.
SECRETS = ("password", "sslpassword")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--read-only", action="store_true", help="an account or a session that can only read")
    parser.add_argument("arguments", nargs="*", metavar="-- ARGUMENT", help="arguments of psql")


def run(args: argparse.Namespace, context: Context) -> int:
    stack = context.stack
    require_postgres(stack)
    parts = conninfo_to_dict(stack.warehouse_reader if args.read_only else stack.warehouse)
    env = dict(os.environ)
    if parts.get("password"):
        env["PGPASSWORD"] = str(parts["password"])
    place = make_conninfo("", **{name: value for name, value in parts.items() if name not in SECRETS})
    os.execve(_program(), ["psql", "--dbname", place, *args.arguments], env)


def _program() -> str:
    """This machine's psql, else the one that comes with the embedded server."""
    found = shutil.which("psql")
    if found is None:
        with contextlib.suppress(LocalError):
            found = shutil.which(find_programs(RunAs()).path("psql"))
    if found is None:
        raise LocalError(
            "there is no psql on this machine",
            hint="install PostgreSQL's client programs, or give the output of `./etl dsn` to a program that you have",
        )
    return found
