"""Alerts: the rules that raise them, deadlines, messages, and their dispatch to mail, Slack and webhooks."""
