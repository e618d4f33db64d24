"""A notifier for any HTTP receiver: one POST of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from airflow.sdk import BaseNotifier

from sportmonks.airflow_compat import connection

if TYPE_CHECKING:
    from airflow.sdk import Context

TIMEOUT_S = 10


def request(method: str, conn: Any, what: str, payload: Any = None) -> None:
    """One request to the address of an HTTP connection, ``payload`` as its JSON; ``what`` names it in errors.

    Host with or without scheme, port, and the path of the extra make the address; the password becomes a bearer token.
    Raises requests.RequestException, without the address: it may hold a token.
    """
    host = conn.host or ""
    base = host if "://" in host else f"{conn.schema or 'https'}://{host}"
    if conn.port:
        base = f"{base}:{conn.port}"
    headers = {"Authorization": f"Bearer {conn.password}"} if conn.password else {}
    try:
        # A redirect would carry the Authorization header elsewhere.
        response = requests.request(
            method,
            base + str(conn.extra_dejson.get("path", "")),
            json=payload,
            headers=headers,
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
    except (requests.RequestException, ValueError) as error:
        raise requests.ConnectionError(f"{what} cannot be reached ({type(error).__name__}).") from None
    if response.status_code >= 300:
        raise requests.HTTPError(f"{what} answered {response.status_code}.")


class WebhookNotifier(BaseNotifier):
    """POST ``payload`` to the connection's address; its password, if any, goes into the Authorization header.

    Connection (type http): host with scheme, or host and schema; path in the extra (``{"path": "/hooks/etl"}``).
    Raises requests.RequestException for an unreachable receiver or an answer of 300 and above, ConfigurationError when
    there is no such connection.
    """

    template_fields = ("payload",)

    def __init__(self, *, webhook_conn_id: str, payload: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.webhook_conn_id = webhook_conn_id
        self.payload = payload

    def notify(self, context: Context) -> None:
        conn = connection(self.webhook_conn_id, "Create it (type HTTP, host = address) or set {variable}.")
        request("POST", conn, f"The webhook behind {self.webhook_conn_id}", self.payload)

    async def async_notify(self, context: Context) -> None:
        from asgiref.sync import sync_to_async

        await sync_to_async(self.notify, thread_sensitive=False)(context)
