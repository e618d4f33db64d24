"""What Airflow learns about this package from a wheel (entry point ``apache_airflow_provider``)."""

from __future__ import annotations

from typing import Any

NAME = "Sportmonks"


def get_provider_info() -> dict[str, Any]:
    """Name, hooks, operators, connection types with their forms, links and notifiers, in the form of Airflow's
    provider.yaml."""
    from sportmonks import __version__
    from sportmonks.hooks.forms import API_FORM, API_TYPE, WAREHOUSE_FORM, WAREHOUSE_TYPE

    return {
        "package-name": "airflow-provider-sportmonks",
        "name": NAME,
        "description": "Football data of the Sportmonks API v3, and any other paged API, into PostgreSQL.",
        "versions": [__version__],
        "integrations": [
            {"integration-name": NAME, "external-doc-url": "https://docs.sportmonks.com/football", "tags": ["service"]}
        ],
        "hooks": [_modules("hooks.sportmonks", "hooks.warehouse")],
        "operators": [_modules("operators.catalog", "operators.league", "operators.routes", "operators.sql")],
        "triggers": [_modules("triggers.budget")],
        "connection-types": [
            {
                "connection-type": API_TYPE,
                "hook-class-name": "sportmonks.hooks.sportmonks.SportmonksHook",
                "hook-name": NAME,
                **API_FORM.described(),
            },
            {
                "connection-type": WAREHOUSE_TYPE,
                "hook-class-name": "sportmonks.hooks.warehouse.WarehouseHook",
                "hook-name": "Sportmonks warehouse",
                **WAREHOUSE_FORM.described(),
            },
        ],
        "notifications": [
            "sportmonks.notifiers.alert.AlertNotifier",
            "sportmonks.notifiers.webhook.WebhookNotifier",
        ],
        "extra-links": ["sportmonks.operators.links.PageLink"],
    }


def _modules(*names: str) -> dict[str, Any]:
    return {"integration-name": NAME, "python-modules": [f"sportmonks.{name}" for name in names]}
