"""Stop everything and delete the state folder: the embedded PostgreSQL with its data, Airflow's history, logs.

An external warehouse (SUPABASE_CONNECTION_STRING) is not touched.
"""

from __future__ import annotations

import argparse
import shutil

from local.cli.context import Context
from local.errors import LocalError

HELP = "stop everything and delete the local data"
OURS = ("postgres.json", "processes.json", "airflow", "postgres.lock", "stack.lock")


def configure(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace, context: Context) -> int:
    stack, home = context.stack, context.settings.home
    if not home.exists():
        stack.say(f"nothing to delete: {home} does not exist")
        return 0
    # ETL_HOME may have been pointed at a folder that holds other things.
    if any(home.iterdir()) and not any((home / name).exists() for name in OURS):
        raise LocalError(f"{home} does not look like a state folder of this project", hint="check ETL_HOME")
    stack.down()
    stack.postgres.destroy()
    shutil.rmtree(home)
    stack.say(f"deleted {home}")
    return 0
