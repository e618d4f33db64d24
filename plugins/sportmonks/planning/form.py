"""The parameters of a league run as JSON schemas, made from their one description. Airflow's trigger form and the form
of the page are both drawn from them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sportmonks.config.catalog import TaskSettings
from sportmonks.config.conversion import bounds, described, fields_of, options_of
from sportmonks.config.manifest import League
from sportmonks.config.settings import INCLUDE_PATTERN
from sportmonks.planning.run_params import RunRequest, season_labels

# Headings of the form, each with its parameters in their order.
SECTIONS: dict[str, tuple[str, ...]] = {
    "What": ("seasons", "date_from", "date_to", "includes"),
    "How much": ("max_fixtures", "max_chunks", "min_fixtures", "batch_size"),
    "Mode": (
        "dry_run",
        "force",
        "continue_from_checkpoint",
        "clear_checkpoint",
        "track_performance",
        "export_metrics",
    ),
}
_JSON_TYPES: dict[Any, str] = {bool: "boolean", int: "integer", date: "string", tuple: "array"}


def form_fields(league: League, settings: TaskSettings) -> dict[str, dict[str, Any]]:
    """Every parameter of a run by name: its JSON schema with title, description, ``section`` and ``default``."""
    labels = list(season_labels(league))
    ids = [season.id for season in league.seasons]
    collect = settings.collect
    # What depends on the league or on the catalog.
    own: dict[str, dict[str, Any]] = {
        "seasons": {
            "default": [],
            "items": {"type": ["string", "integer"], "enum": [*labels, *map(str, ids), *ids]},
            "examples": labels,
        },
        "batch_size": {
            "default": collect.batch_size,
            "maximum": collect.max_batch_size,
            "description": f"Fixtures per API call, 1 to {collect.max_batch_size}.",
        },
        "includes": {
            "items": {"type": "string", "pattern": f"^{INCLUDE_PATTERN}$"},
            "examples": list(league.includes),
            "description": f"Empty: {', '.join(league.includes)}.",
        },
    }
    fields = fields_of(RunRequest)
    return {
        name: {"default": fields[name].default, **_schema(fields[name].type), **own.get(name, {}), "section": section}
        for section, names in SECTIONS.items()
        for name in names
    }


def _schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of a parameter's type, with title and description."""
    options = options_of(kind)
    (json_type,) = {
        _JSON_TYPES[getattr(option, "__origin__", option)] for option in options if option is not type(None)
    }
    schema: dict[str, Any] = {"type": ["null", json_type] if type(None) in options else json_type, **described(kind)}
    if date in options:
        schema["format"] = "date"
    least, _ = bounds(kind)
    if least is not None:
        schema["minimum"] = int(least)
    return schema
