"""The forms of the connection types ``sportmonks`` and ``sportmonks_warehouse`` in Airflow's UI.

Airflow 3.2 and later read them from the provider's metadata, without importing a hook; 3.1 calls
``get_ui_field_behaviour`` and ``get_connection_form_widgets`` of each hook. Both are made of the same structures here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

API_TYPE = "sportmonks"
WAREHOUSE_TYPE = "sportmonks_warehouse"


@dataclass(frozen=True)
class ExtraField:
    """A field of its own for a key of the connection's extra. ``choices``: the values that it may have."""

    label: str
    description: str
    kind: Literal["string", "boolean"] = "string"
    choices: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """As the provider's metadata have it (``conn-fields``)."""
        schema: dict[str, Any] = {"type": [self.kind, "null"]}
        if self.choices:
            schema["enum"] = list(self.choices)
        return {"label": self.label, "description": self.description, "schema": schema}

    def widget(self) -> Any:
        """As the hooks of Airflow 3.1 have it: a field of WTForms, which its API server puts a stand-in for."""
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
        from flask_babel import lazy_gettext
        from wtforms import BooleanField, StringField
        from wtforms.validators import Optional, any_of

        label = lazy_gettext(self.label)
        if self.kind == "boolean":
            return BooleanField(label, description=self.description)
        validators = [Optional(), *([any_of(list(self.choices))] if self.choices else [])]
        return StringField(label, validators, description=self.description, widget=BS3TextFieldWidget())


@dataclass(frozen=True)
class ConnectionForm:
    """The form of a connection type. ``hidden``, ``labels`` and ``placeholders`` are about Airflow's standard fields,
    ``extra`` holds fields for keys of the extra."""

    hidden: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    placeholders: dict[str, str] = field(default_factory=dict)
    extra: dict[str, ExtraField] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """``ui-field-behaviour`` and ``conn-fields`` of the provider's metadata."""
        behaviour = {"hidden-fields": list(self.hidden), "relabeling": self.labels, "placeholders": self.placeholders}
        fields = {name: each.described() for name, each in self.extra.items()}
        return {"ui-field-behaviour": behaviour, "conn-fields": fields}

    def behaviour(self) -> dict[str, Any]:
        """What ``get_ui_field_behaviour`` of a hook returns."""
        return {"hidden_fields": list(self.hidden), "relabeling": self.labels, "placeholders": self.placeholders}

    def widgets(self) -> dict[str, Any]:
        """What ``get_connection_form_widgets`` of a hook returns."""
        return {name: each.widget() for name, each in self.extra.items()}


API_FORM = ConnectionForm(
    # The port is shown: the Test button of Airflow 3.3 sends 0 where a stored connection has none, and refuses that.
    hidden=("schema", "login"),
    labels={"host": "Base URL", "password": "API key"},
    placeholders={"host": "https://api.sportmonks.com/v3", "port": "443"},
    extra={
        "verify": ExtraField(
            "Certificates", "A file with the certificate authorities to trust. Empty: those of this machine."
        ),
        "sandbox": ExtraField("Sandbox", "This is the sandbox of Sportmonks ETL, not the API.", kind="boolean"),
    },
)
WAREHOUSE_FORM = ConnectionForm(
    labels={"schema": "Database", "login": "Account"},
    placeholders={"host": "db.example.org", "port": "5432", "schema": "etl", "login": "etl_tasks"},
    extra={
        "sslmode": ExtraField(
            "Encryption",
            "libpq's sslmode; verify-full also checks whose server it is. Empty: prefer.",
            choices=("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
        ),
        "sslrootcert": ExtraField("Certificates", "A file with the certificate authorities to trust, or: system."),
        "options": ExtraField("Server options", "Such as -c statement_timeout=60s."),
    },
)
