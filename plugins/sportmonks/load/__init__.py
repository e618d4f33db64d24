"""Loading: one batch in one transaction, raw payloads and typed tables together."""
