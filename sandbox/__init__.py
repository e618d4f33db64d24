"""A server in the place of the Sportmonks Football API v3 for demos, tests and benchmarks (`python -m sandbox`)."""
