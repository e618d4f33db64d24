"""Airflow runs this at its start: scheduler and DAG processor import what every task and every parse needs.

With the LocalExecutor a task is a fork of the scheduler, and a parse is a fork of the DAG processor, so an import made
here is made once instead of once per fork: a task instance costs about a third of the CPU time that it would cost
otherwise. The package itself is not among them, so that tasks run what lies in plugins/ now.
"""

from __future__ import annotations

import contextlib
import importlib
import sys

PRELOADED = (
    "airflow.dag_processing.dagbag",
    "airflow.providers.common.sql.operators.sql",
    "airflow.providers.http.hooks.http",
    "airflow.providers.postgres.hooks.postgres",
    "airflow.providers.standard.operators.python",
    "airflow.sdk.definitions.decorators",
    "airflow.sdk.execution_time.task_runner",
    "jinja2.sandbox",
    "msgspec",
    "psycopg",
    "requests",
    "tenacity",
)

if {"scheduler", "dag-processor"} & set(sys.argv):
    for name in PRELOADED:
        # Preloading saves time and nothing else: what is missing fails later, where it is needed and named.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
