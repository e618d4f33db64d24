"""AlertNotifier under the folder name and the dotted path that Airflow users expect."""

from sportmonks.alerts.notifier import AlertNotifier

__all__ = ["AlertNotifier"]
