"""The warehouse for operators of Airflow's own that run SQL: their sessions are those of this package."""

from __future__ import annotations

from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook

from sportmonks.config.settings import WAREHOUSE_CONN_ID


class WarehouseHook(PostgresHook):
    """Airflow's PostgreSQL hook over the package's connections: pinned settings, every option of libpq, waits that
    end. See ``sportmonks.warehouse.connection``."""

    default_conn_name = WAREHOUSE_CONN_ID

    def get_conn(self) -> Any:
        from sportmonks.warehouse.connection import connect

        return connect(self.get_conn_id())

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """As the base does. Repeated for a minute while the warehouse is away, so each call has to be harmless to
        repeat; then WarehouseDownError."""
        from sportmonks.warehouse.session import repeat

        return repeat(lambda: super(WarehouseHook, self).run(*args, **kwargs))
