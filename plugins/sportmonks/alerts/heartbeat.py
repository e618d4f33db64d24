"""A heartbeat to a service outside (a dead man's switch), which notices when nothing of this installation runs.

Set up by an Airflow connection ``sportmonks_heartbeat`` of type HTTP: host = the address that the service gave, with
scheme and path; password, if there is one, becomes a bearer token. Without the connection nothing is sent.
"""

from __future__ import annotations

import logging

import requests

log = logging.getLogger(__name__)

HEARTBEAT_CONN_ID = "sportmonks_heartbeat"


def send_heartbeat() -> bool | None:
    """GET the address once. None without a connection, else whether it was accepted; a failure is logged only."""
    from airflow.sdk import BaseHook

    from sportmonks.airflow_compat import AirflowNotFoundException
    from sportmonks.alerts.webhook import request

    try:
        conn = BaseHook.get_connection(HEARTBEAT_CONN_ID)
    except AirflowNotFoundException:
        return None
    try:
        request("GET", conn, f"The heartbeat service behind {HEARTBEAT_CONN_ID}")
    except requests.RequestException as error:
        log.warning("%s", error)
        return False
    return True
