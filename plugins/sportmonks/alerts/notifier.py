"""AlertNotifier: one alert (or a digest of many) to every channel that has an Airflow connection.

====================  ==========================  ====================================================
connection id         type                        what it needs
====================  ==========================  ====================================================
sportmonks_smtp       smtp                        host, port; extra: to (commas), from_email
sportmonks_slack      slackwebhook                the webhook's token or address as password
sportmonks_webhook    http                        address as host; extra: path; password = bearer token
====================  ==========================  ====================================================

A connection that does not exist switches its channel off. All channels are notified at the same time, and each has
``CHANNEL_TIMEOUT_S``, so that one that hangs takes nothing from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

from sportmonks.airflow_compat import configuration, find_connection
from sportmonks.alerts.attempt import Attempt
from sportmonks.alerts.message import as_html, as_json, as_text, headline
from sportmonks.alerts.rules import Alert
from sportmonks.errors import ConfigurationError
from sportmonks.redaction import mask_text

if TYPE_CHECKING:
    from airflow.sdk import Context

SMTP_CONN_ID = "sportmonks_smtp"
SLACK_CONN_ID = "sportmonks_slack"
WEBHOOK_CONN_ID = "sportmonks_webhook"
TIMEOUT_S = 10
CHANNEL_TIMEOUT_S = 20.0


@dataclass(slots=True)
class Delivery:
    """The result of a delivery. ``sent``: channels that accepted it; ``failed``: channel -> reason, masked; ``hung``:
    those of the failed that did not answer in time.

    All are empty when no channel is set up.
    """

    sent: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    hung: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Nothing is left to try: at least one channel accepted it, or no channel is set up."""
        return bool(self.sent) or not self.failed


def ui_base_url() -> str:
    """The address of the Airflow UI (``[api] base_url``)."""
    return str(configuration().get("api", "base_url", fallback="") or "http://localhost:8080")


class AlertNotifier(BaseNotifier):
    """Sends to Airflow's mail and Slack notifiers and to the webhook notifier of this package.

    Their ``notify`` is called directly, without Airflow's template rendering: the texts hold what a provider
    wrote, and ``{{ }}`` in a team's name must stay text. ``without``: channels that are not tried, because they have
    just hung.
    """

    def __init__(
        self,
        alerts: Sequence[Alert],
        *,
        base_url: str | None = None,
        without: Container[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alerts = list(alerts)
        self.without = without
        self.base_url = ui_base_url() if base_url is None else base_url

    @property
    def title(self) -> str:
        if len(self.alerts) == 1:
            return headline(self.alerts[0])
        return f"[{self.alerts[0].severity}] Sportmonks ETL: {len(self.alerts)} new alerts"

    def deliver(self) -> Delivery:
        """Send to every channel at the same time; one that fails or hangs does not stop the others."""
        delivery = Delivery()
        if not self.alerts:
            return delivery
        channels: dict[str, Callable[[Any], Callable[[], object]]] = {
            SMTP_CONN_ID: self._mail,
            SLACK_CONN_ID: self._slack,
            WEBHOOK_CONN_ID: self._webhook,
        }
        attempts: dict[str, Attempt] = {}
        for conn_id, prepare in channels.items():
            try:
                # Airflow's connections can be looked up on the calling thread only.
                conn = find_connection(conn_id)
                if conn is not None and conn_id in self.without:
                    delivery.failed[conn_id] = "It did not answer before in this run."
                elif conn is not None:
                    attempts[conn_id] = Attempt(prepare(conn), CHANNEL_TIMEOUT_S)
            except Exception as error:
                self._note_failure(delivery, conn_id, error)
        for conn_id, attempt in attempts.items():
            try:
                attempt.wait()
                delivery.sent.append(conn_id)
            except Exception as error:
                if isinstance(error, TimeoutError):
                    delivery.hung.append(conn_id)
                self._note_failure(delivery, conn_id, error)
        return delivery

    def _note_failure(self, delivery: Delivery, conn_id: str, error: Exception) -> None:
        delivery.failed[conn_id] = mask_text(f"{type(error).__name__}: {error}".splitlines()[0])
        self.log.error("Notification through %s failed: %s", conn_id, delivery.failed[conn_id])

    def notify(self, context: Context) -> None:
        self.deliver()

    async def async_notify(self, context: Context) -> None:
        await self.adeliver()

    async def adeliver(self) -> Delivery:
        """``deliver`` outside the event loop, in asgiref's thread: Airflow's connection look-up works only there."""
        from asgiref.sync import sync_to_async

        return await sync_to_async(self.deliver, thread_sensitive=False)()

    # Each of these returns what sends: it runs in another thread, with the connection that was found in this one.

    def _mail(self, conn: Any) -> Callable[[], object]:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        to = str(conn.extra_dejson.get("to", "")).replace(";", ",")
        recipients = [part.strip() for part in to.split(",") if part.strip()]
        if not recipients:
            raise ConfigurationError(
                f"The connection {SMTP_CONN_ID} names no recipient.",
                hint='Add "to": "oncall@example.com" to its extra.',
            )
        sender = str(conn.extra_dejson.get("from_email") or conn.login or recipients[0])
        notifier = SmtpNotifier(
            smtp_conn_id=SMTP_CONN_ID,
            from_email=sender,
            to=recipients,
            subject=self.title,
            html_content=as_html(self.alerts, self.base_url),
        )
        notifier.hook.get_connection = lambda *_: conn  # type: ignore[method-assign]
        return lambda: notifier.notify({})

    def _slack(self, conn: Any) -> Callable[[], object]:
        from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

        # The three characters that Slack's own markup needs escaped.
        body = "\n\n".join(as_text(alert, self.base_url) for alert in self.alerts)
        body = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        notifier = SlackWebhookNotifier(
            slack_webhook_conn_id=SLACK_CONN_ID, text=body[:3_900], timeout=TIMEOUT_S, unfurl_links=False
        )
        notifier.hook.get_connection = lambda *_: conn  # type: ignore[method-assign]
        return lambda: notifier.notify({})  # type: ignore[no-untyped-call]

    def _webhook(self, conn: Any) -> Callable[[], object]:
        from sportmonks.alerts.webhook import request

        payload: dict[str, Any] = {"source": "sportmonks_etl", "title": self.title}
        payload |= {"alerts": [as_json(alert, self.base_url) for alert in self.alerts]}
        return lambda: request("POST", conn, f"The webhook behind {WEBHOOK_CONN_ID}", payload)
