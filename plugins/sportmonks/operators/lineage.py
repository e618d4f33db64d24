"""What the tasks read and wrote, for OpenLineage: the API's endpoint in, tables of the warehouse out.

Airflow asks for it when the provider apache-airflow-providers-openlineage is installed and has a transport; nothing of
OpenLineage is imported before. The warehouse is read over a connection of its own, opened with what the task has
looked up before: the provider works in a process of its own, to which Airflow serves no connections. Names hold no
credentials and no values of a query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import psycopg


class Written(NamedTuple):
    """What a run has written into a table. ``table``: with its schema; ``bytes``: as stored, or as they came."""

    table: str
    rows: int
    bytes: int


class LineageMixin:
    """An operator of the package that tells OpenLineage what it has read and written (``lineage``)."""

    def lineage(self, conn: psycopg.Connection[Any]) -> Any:
        """The OperatorLineage of this try so far, None where it has neither read nor written."""
        raise NotImplementedError

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Airflow's provider for OpenLineage asks for this when the task has succeeded."""
        opened = getattr(self, "_open_warehouse", None)
        if opened is None:
            return None
        with opened() as conn:
            return self.lineage(conn)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> Any:
        """The same when it has failed: what had been stored by then."""
        return self.get_openlineage_facets_on_complete(task_instance)


def endpoint(base_url: str, path: str) -> tuple[str, str]:
    """Namespace and name of an endpoint: ``https://api.sportmonks.com``, ``v3/football/fixtures``. The query, which
    may hold a key, is left out, and so is a user in the address."""
    from sportmonks.redaction import mask_text

    parts = urlsplit(base_url if "//" in base_url else f"//{base_url}")
    host = parts.hostname or "unknown"
    place = f"{parts.scheme or 'https'}://{host}{f':{parts.port}' if parts.port else ''}"
    # A path, or a complete address, which a route may name too.
    way = urlsplit(path)
    name = "/".join(part for part in (parts.path.strip("/"), way.path.strip("/")) if part)
    return mask_text(place), mask_text(name or "/")


def season_written(conn: psycopg.Connection[Any], execution_id: str, season_id: int) -> list[Written]:
    """What a run has stored of a season so far, by table."""
    from sportmonks.warehouse.queries import sql

    parameters = {"execution_id": execution_id, "season_id": season_id}
    rows = conn.execute(sql("monitoring/lineage_season"), parameters).fetchall()
    return [Written(name, int(count), int(size)) for name, count, size in rows]


def operator_lineage(
    conn: psycopg.Connection[Any], inputs: Iterable[tuple[str, str]], written: Iterable[Written]
) -> Any:
    """OpenLineage's OperatorLineage: ``inputs`` are namespaces and names, and ``written`` become outputs with their
    columns and statistics. None where the provider is not installed."""
    from sportmonks.airflow_compat import openlineage

    ol = openlineage()
    if ol is None:
        return None
    written = list(written)
    columns = _columns(conn, [each.table for each in written])
    namespace = f"postgres://{_host(conn)}:{conn.info.port}"
    outputs = [
        ol.OutputDataset(
            namespace=namespace,
            name=f"{conn.info.dbname}.{each.table}",
            facets={
                "schema": ol.SchemaDatasetFacet(
                    fields=[
                        ol.SchemaDatasetFacetFields(name=name, type=kind, description=text)
                        for name, kind, text in columns.get(each.table, ())
                    ]
                )
            },
            outputFacets={
                "outputStatistics": ol.OutputStatisticsOutputDatasetFacet(rowCount=each.rows, size=each.bytes)
            },
        )
        for each in written
    ]
    return ol.OperatorLineage(
        inputs=[ol.InputDataset(namespace=place, name=name) for place, name in inputs], outputs=outputs
    )


def _columns(conn: psycopg.Connection[Any], tables: list[str]) -> Mapping[str, list[tuple[str, str, str | None]]]:
    from sportmonks.warehouse.queries import sql

    found: dict[str, list[tuple[str, str, str | None]]] = {}
    for table, *column in conn.execute(sql("monitoring/lineage_columns"), {"tables": tables}):
        found.setdefault(table, []).append(tuple(column))
    return found


def _host(conn: psycopg.Connection[Any]) -> str:
    """The server's name; a folder of a Unix socket is this machine."""
    host = conn.info.host
    return "localhost" if not host or host.startswith(("/", "@")) else host
