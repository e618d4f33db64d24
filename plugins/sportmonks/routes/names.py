"""Names of a route's table and DAG. etl.raw_table_name in SQL has the same rules (a test compares the two)."""

from __future__ import annotations

import hashlib
import re

from sportmonks.errors import ConfigurationError

# So that "<table>_reference_date" still fits into the 63 bytes of a PostgreSQL name.
LONGEST = 46


def name_part(text: str) -> str:
    """ASCII letters, digits and single underscores, lower case; may be empty."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).lower().strip("_")


def table_name(client: str, route: str) -> str:
    """``client_<client>_<route>`` (schema raw). Raises ConfigurationError when a name has no letter or digit."""
    for kind, text in (("client", client), ("route", route)):
        if not name_part(text):
            raise ConfigurationError(
                f"{kind} '{text}' has no letter or digit.", hint="Choose a name with some (ASCII)."
            )
    name = f"client_{name_part(client)}_{name_part(route)}"
    if len(name) <= LONGEST:
        return name
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name[: LONGEST - 9]}_{digest[:8]}"


def run_name(client: str, route: str) -> str:
    """``raw_<client>_<route>``: the DAG, and the collector in ``etl.collector_runs``."""
    return "raw_" + table_name(client, route).removeprefix("client_")
