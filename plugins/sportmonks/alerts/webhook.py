"""A notifier for any HTTP receiver: one POST of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from airflow.sdk import BaseHook, BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk import Context

TIMEOUT_S = 10


def address_of(conn: Any) -> str:
    """The URL of an HTTP connection: host with or without scheme, port, and the path of the extra."""
    host = conn.host or ""
    base = host if "://" in host else f"{conn.schema or 'https'}://{host}"
    if conn.port:
        base = f"{base}:{conn.port}"
    return base + str(conn.extra_dejson.get("path", ""))


class WebhookNotifier(BaseNotifier):
    """POST ``payload`` to the connection's address; its password, if any, goes into the Authorization header.

    Connection (type http): host with scheme, or host and schema; path in the extra (``{"path": "/hooks/etl"}``).
    Raises requests.RequestException for an unreachable receiver or an answer of 400 and above.
    """

    template_fields = ("payload",)

    def __init__(self, *, webhook_conn_id: str, payload: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.webhook_conn_id = webhook_conn_id
        self.payload = payload

    def notify(self, context: Context) -> None:
        conn = BaseHook.get_connection(self.webhook_conn_id)
        headers = {"Authorization": f"Bearer {conn.password}"} if conn.password else {}
        # Error texts of requests hold the address, which may hold a token: they are not passed on.
        try:
            # A redirect would carry the Authorization header elsewhere.
            answer = requests.post(
                address_of(conn), json=self.payload, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
            )
        except (requests.RequestException, ValueError) as error:
            reason = f"The webhook behind {self.webhook_conn_id} cannot be reached ({type(error).__name__})."
            raise requests.ConnectionError(reason) from None
        if answer.status_code >= 300:
            raise requests.HTTPError(f"The webhook behind {self.webhook_conn_id} answered {answer.status_code}.")

    async def async_notify(self, context: Context) -> None:
        from asgiref.sync import sync_to_async

        await sync_to_async(self.notify, thread_sensitive=False)(context)
