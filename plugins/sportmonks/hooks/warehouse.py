"""The warehouse for operators of Airflow's own that run SQL: their sessions are those of this package."""

from __future__ import annotations

from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook

from sportmonks.config.settings import WAREHOUSE_CONN_ID
from sportmonks.errors import SportmonksError
from sportmonks.hooks.forms import WAREHOUSE_FORM, WAREHOUSE_TYPE


class WarehouseHook(PostgresHook):
    """Airflow's PostgreSQL hook over the package's connections: pinned settings, every option of libpq, waits that
    end. See ``sportmonks.warehouse.connection``. The connection is of type ``sportmonks_warehouse``, or ``postgres``
    as in older versions."""

    default_conn_name = WAREHOUSE_CONN_ID
    conn_type = WAREHOUSE_TYPE
    hook_name = "Sportmonks warehouse"

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The labels of the connection's form, for Airflow 3.1."""
        return WAREHOUSE_FORM.behaviour()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The connection's own fields, for Airflow 3.1."""
        return WAREHOUSE_FORM.widgets()

    def get_conn(self) -> Any:
        from sportmonks.warehouse.connection import connect

        return connect(self.get_conn_id())

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """As the base does. Repeated for a minute while the warehouse is away, so each call has to be harmless to
        repeat; then WarehouseDownError."""
        from sportmonks.warehouse.session import repeat

        return repeat(lambda: super(WarehouseHook, self).run(*args, **kwargs))

    def test_connection(self) -> tuple[bool, str]:  # type: ignore[override]  # the base names no type
        """Whether a run could work there, and a sentence: server, encoding, schema, privileges. For Airflow's "Test"
        button; nothing is changed."""
        import psycopg

        from sportmonks.warehouse.connection import connect
        from sportmonks.warehouse.migrations import describe_schema
        from sportmonks.warehouse.sqlstate import as_configuration_error

        try:
            with connect(self.get_conn_id()) as conn:
                return True, describe_schema(conn)
        except SportmonksError as error:
            return False, str(error)
        except psycopg.Error as error:
            return False, str(as_configuration_error(error) or error)
