"""The old place of ``sportmonks.alerts.deadlines``: deadlines stored by Airflow before version 0.2 name it."""

from sportmonks.alerts.deadlines import deadline_missed

__all__ = ["deadline_missed"]
