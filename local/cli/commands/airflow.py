"""Airflow's own commands in the local stack: ./etl airflow dags list, ./etl airflow db clean --help.

All that follows goes to Airflow as it is. Its settings, those of the database among them, travel in its environment,
where other users of the machine cannot see them. What starts and stops with the stack (scheduler, api-server and so on)
is left to ./etl up and ./etl down, and what would print a password or a key is refused.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence

import psycopg
from rich.markup import escape

from local.cli.arguments import near_hint
from local.cli.console import err, printable
from local.cli.context import Context
from local.errors import LocalError, UsageError
from local.stack.airflow import COMPONENTS, airflow_command
from local.stack.queries import query

HELP = "Airflow's own commands, with the settings of the local stack"
# They would run a second time, with another's process ids and ports.
OWN_PROCESSES = {*COMPONENTS, "standalone", "celery", "kubernetes"}
# Airflow's commands of DAGs warn each time that no picture of a DAG can be drawn.
QUIET = {"PYTHONWARNINGS": "ignore:Could not import graphviz"}

# Options of Airflow's configuration whose values are secrets or hold one.
_SECRET_OPTION = re.compile(r"(conn|conn_async|key|secret|password|token|dsn|url|auth|kwargs|backend)$")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="command of Airflow, options")


def run(args: argparse.Namespace, context: Context) -> int:
    words = list(args.arguments[1:] if args.arguments[:1] == ["--"] else args.arguments)
    if words and words[0] in OWN_PROCESSES:
        raise UsageError(f"{words[0]} belongs to the stack", hint="./etl up starts all parts, ./etl down stops them")
    if _prints_secrets(words):
        raise UsageError(
            f"{' '.join(words[:2])} would print a password or a key of the stack",
            hint=f"they are in {context.settings.home / 'airflow'}; ./etl dsn prints the warehouse's",
        )
    stack = context.stack
    if not stack.postgres.running():
        raise LocalError("the embedded PostgreSQL, which has Airflow's database, is not running", hint="run `./etl up`")
    endpoints = stack.endpoints()
    if words[:2] == ["dags", "trigger"] and len(words) > 2 and not {"-h", "--help"} & set(words):
        _look_at_dag(words[2], endpoints.metadata)
    env = stack.airflow.environment(endpoints) | QUIET
    sys.stdout.flush()
    os.execve(sys.executable, airflow_command(*words), env)


def _look_at_dag(dag_id: str, conninfo: str) -> None:
    """UsageError where there is no such DAG, which Airflow answers with a traceback; a note where it is paused."""
    try:
        with psycopg.connect(conninfo, connect_timeout=5) as conn:
            paused: dict[str, bool] = dict(conn.execute(query("server/airflow_dags")).fetchall())
    except psycopg.Error:
        return  # Airflow itself says what is wrong with its database
    if dag_id.startswith("-"):
        return
    if dag_id not in paused:
        raise UsageError(f"there is no DAG {printable(dag_id)[:100]!r}", hint=near_hint(dag_id, paused))
    if paused[dag_id]:
        err.print(
            f"[yellow]{escape(dag_id)} is paused: its run waits until ./etl airflow dags unpause {escape(dag_id)}[/]"
        )


def _prints_secrets(words: Sequence[str]) -> bool:
    command, help_only = list(words[:2]), bool({"-h", "--help"} & set(words))
    if help_only:
        return False
    if command == ["config", "get-value"]:
        return any(_SECRET_OPTION.search(word) for word in words[3:])
    if command in (["connections", "get"], ["connections", "export"]):
        return True
    return "--show-values" in words and "--hide-sensitive" not in words
