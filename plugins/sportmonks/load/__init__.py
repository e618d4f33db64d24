"""Loading: one batch in one transaction, raw payloads and typed tables together. Starts at ``batch.store_batch``."""
