"""The old place of ``sportmonks.alerts.reference``: DAGs stored by Airflow before version 0.2 name it."""

from sportmonks.alerts.reference import RunQueuedAt

__all__ = ["RunQueuedAt"]
