"""Airflow runs this at its start: the parents of tasks and of parses import what each of those needs.

With the LocalExecutor a task is a fork of the scheduler, with the CeleryExecutor one of the worker, and a parse is a
fork of the DAG processor, so an import made here is made once instead of once per fork: a task instance costs about a
third of the CPU time that it would cost otherwise.
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

if {"scheduler", "dag-processor", "celery"} & set(sys.argv):
    for name in PRELOADED:
        # Preloading saves time and nothing else: what is missing fails later, where it is needed and named.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    with contextlib.suppress(ImportError):
        importlib.import_module("sportmonks.preload").preload()
