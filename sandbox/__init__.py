"""A server that plays the Sportmonks Football API v3 for demos, tests and benchmarks (`python -m sandbox`)."""
