"""Asks Airflow's API server what its page of connections asks: the forms of connection types, and the Test button.

``python -m tests.dags.ui_connections``: a list of connections as JSON on stdin, with ``{"forms": [types]}`` first;
a list of answers on stdout. It runs in the environment of an Airflow that has the package from its wheel.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    os.environ |= {
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
    }
    wanted, *connections = json.load(sys.stdin)
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    with TestClient(create_app()) as client:
        token = client.get("/auth/token").json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        forms = client.get("/ui/connections/hook_meta", headers=headers)
        forms.raise_for_status()
        answers: list[Any] = [
            {form["connection_type"]: form for form in forms.json() if form["connection_type"] in wanted["forms"]}
        ]
        for connection in connections:
            answer = client.post("/api/v2/connections/test", json=connection, headers=headers)
            answers.append(answer.json())
    sys.stderr.flush()
    os.write(1, f"\n{json.dumps(answers)}\n".encode())


if __name__ == "__main__":
    main()
