"""A DagBag, which is in another place before Airflow 3.2."""

from __future__ import annotations

from typing import Any


def filled_bag(folder: str) -> Any:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag  # type: ignore[no-redef,attr-defined]

        return DagBag(dag_folder=folder, include_examples=False)
    return DagBag(dag_folder=folder, bundle_name="dags-folder")
