"""WebhookNotifier under the folder name and the dotted path that Airflow users expect."""

from sportmonks.alerts.webhook import WebhookNotifier

__all__ = ["WebhookNotifier"]
