"""Print the SQL that makes roles of least privilege in the warehouse, or apply it.

sportmonks_owner changes the schema (migrations), sportmonks_writer runs the tasks, sportmonks_reader reads. The SQL may
run at any time and again: ./etl roles | psql "$ADMIN". With --apply it runs in the warehouse of the settings: in the
embedded PostgreSQL as its superuser, elsewhere as the account of SUPABASE_CONNECTION_STRING, which must own the schemas
and may create roles.
"""

from __future__ import annotations

import argparse

import psycopg

from local.cli.console import out
from local.cli.context import Context
from local.cli.output import configure_output, show
from local.errors import LocalError
from local.stack.warehouse import require_postgres

ROLES = ("sportmonks_owner", "sportmonks_writer", "sportmonks_reader")
HELP = "roles of least privilege: print their SQL, or apply it"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--apply", action="store_true", help="run it in the warehouse")
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    from sportmonks.warehouse.queries import sql

    if not args.apply:
        text = sql("roles").partition("\n")[2]
        show(args, {"roles": list(ROLES), "applied": False, "sql": text}, lambda: print(text, end=""))
        return 0
    stack = context.stack
    require_postgres(stack)
    place = stack.settings.warehouse or stack.postgres.conninfo(stack.database)
    from sportmonks.errors import SportmonksError
    from sportmonks.warehouse.connection import open_connection

    try:
        with open_connection(place, autocommit=True) as conn, conn.transaction():
            conn.execute(sql("roles"))
    except SportmonksError as error:
        raise LocalError(error.message, hint=error.hint if stack.settings.warehouse else "run `./etl up`") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise LocalError(
            f"this account may not make the roles: {error.diag.message_primary}",
            hint='run it as an administrator of the database: ./etl roles | psql "$ADMIN"',
        ) from None
    show(args, {"roles": list(ROLES), "applied": True, "sql": None}, _ready)
    return 0


def _ready() -> None:
    out.print(f"roles {', '.join(ROLES[:-1])} and {ROLES[-1]} are ready; give accounts one of them:")
    out.print("  GRANT sportmonks_reader TO …;", markup=False)
