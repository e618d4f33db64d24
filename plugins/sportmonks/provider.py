"""What Airflow learns about this package from a wheel (entry point ``apache_airflow_provider``)."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Name, hooks and notifiers, in the form of Airflow's provider.yaml."""
    from sportmonks import __version__

    return {
        "package-name": "airflow-provider-sportmonks",
        "name": "Sportmonks",
        "description": "Football data of the Sportmonks API v3, and any other paged API, into PostgreSQL.",
        "versions": [__version__],
        "hooks": [
            {
                "integration-name": "Sportmonks",
                "python-modules": ["sportmonks.hooks.sportmonks", "sportmonks.hooks.warehouse"],
            }
        ],
        "notifications": ["sportmonks.notifiers.alert.AlertNotifier"],
    }
