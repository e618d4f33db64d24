"""Runs complete DAGs, one after the other, in a process of its own: a command per line on stdin, a result on stdout.

{"dag_id": ..., "conf": {...}, "env": {...}} -> {"state": ..., "tasks": {task_id: state}}. The log goes to stderr.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


def run(dag_id: str, conf: dict[str, Any], env: dict[str, str | None]) -> dict[str, Any]:
    from airflow.configuration import conf as settings

    from tests.dags.bag import filled_bag

    for name in [name for name in os.environ if name.startswith("_AIRFLOW_PARSING_CONTEXT")]:
        del os.environ[name]  # Airflow 3.1 leaves it behind, and then only the DAG of the last task would be built
    for name, value in env.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    bag = filled_bag(settings.get("core", "dags_folder"))
    if dag_id not in bag.dags:
        return {"state": "no such DAG", "known": sorted(bag.dags), "errors": bag.import_errors, "tasks": {}}
    try:
        run = bag.dags[dag_id].test(run_conf=conf)
    except Exception as error:
        if "not serialized" not in str(error):
            raise
        # Airflow 3.1.0 asks for it; later releases do it by themselves.
        subprocess.run([sys.executable, "-m", "airflow", "dags", "reserialize"], check=True, stdout=sys.stderr)
        run = bag.dags[dag_id].test(run_conf=conf)
    return {
        "state": str(run.state),
        "run_id": run.run_id,
        "tasks": {ti.task_id: str(ti.state) for ti in run.get_task_instances()},
    }


def hurry() -> None:
    """Make the waits of retries and of an open circuit short; all of them still take place."""
    from sportmonks.api import retry
    from sportmonks.api.budget import PostgresBudget

    vars(retry)["wait_before_retry"]  # it must be there
    setattr(retry, "wait_before_retry", lambda *_: 0.01)  # noqa: B010
    defaults: Any = PostgresBudget.__init__.__kwdefaults__
    defaults.update(circuit_open=0.1, circuit_cap=0.2)


def main() -> None:
    hurry()
    # Tasks print, too, so the results have a file descriptor of their own.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = run(command["dag_id"], command.get("conf") or {}, command.get("env") or {})
        except Exception as error:
            answer = {"state": f"{type(error).__name__}: {error}", "tasks": {}}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
