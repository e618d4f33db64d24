"""Alerts: the rules that raise them, deadlines, and how an alert reads as a message."""
