"""Telling people: Airflow notifiers for mail, Slack and any webhook, and one that knows which of them are set up."""
