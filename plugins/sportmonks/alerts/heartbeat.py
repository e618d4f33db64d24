"""A heartbeat to a service outside (a dead man's switch), which notices when nothing of this installation runs.

Set up by an Airflow connection ``sportmonks_heartbeat`` of type HTTP: host = the address that the service gave, with
scheme and path; password, if there is one, becomes a bearer token. Without the connection nothing is sent.
"""

from __future__ import annotations

import logging

import requests

from sportmonks.alerts.attempt import Attempt
from sportmonks.errors import ConfigurationError

log = logging.getLogger(__name__)

HEARTBEAT_CONN_ID = "sportmonks_heartbeat"
TIMEOUT_S = 10.0


def send_heartbeat() -> bool | None:
    """GET the address once, for ``TIMEOUT_S`` at most. None without a connection, else whether it was accepted; a
    failure is logged only."""
    from sportmonks.airflow_compat import find_connection
    from sportmonks.alerts.webhook import request

    what = f"The heartbeat service behind {HEARTBEAT_CONN_ID}"
    try:
        conn = find_connection(HEARTBEAT_CONN_ID)
        if conn is None:
            return None
        Attempt(lambda: request("GET", conn, what), TIMEOUT_S).wait()
    except TimeoutError as error:
        log.warning("%s: %s.", what, error)
        return False
    except (requests.RequestException, ConfigurationError) as error:
        log.warning("%s", error)
        return False
    return True
