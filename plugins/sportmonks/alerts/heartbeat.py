"""A heartbeat to a service outside (a dead man's switch), which notices when nothing of this installation runs.

Set up by an Airflow connection ``sportmonks_heartbeat`` of type HTTP: host = the address that the service gave, with
scheme and path; password, if there is one, becomes a bearer token. Without the connection nothing is sent.
"""

from __future__ import annotations

import logging

import requests

log = logging.getLogger(__name__)

HEARTBEAT_CONN_ID = "sportmonks_heartbeat"
TIMEOUT_S = 10


def send_heartbeat() -> bool | None:
    """GET the address once. None without a connection, else whether it was accepted; a failure is logged only."""
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    from sportmonks.alerts.webhook import address_of

    try:
        conn = BaseHook.get_connection(HEARTBEAT_CONN_ID)
    except AirflowNotFoundException:
        return None
    headers = {"Authorization": f"Bearer {conn.password}"} if conn.password else {}
    try:
        # The address itself is often the secret: no error text of requests is logged, and no redirect followed.
        response = requests.get(address_of(conn), headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
    except (requests.RequestException, ValueError) as error:
        log.warning("The heartbeat behind %s could not be sent (%s)", HEARTBEAT_CONN_ID, type(error).__name__)
        return False
    if response.status_code >= 300:
        log.warning("The heartbeat behind %s was answered with %d", HEARTBEAT_CONN_ID, response.status_code)
        return False
    return True
