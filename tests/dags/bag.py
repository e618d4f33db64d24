"""What tests need of Airflow that is in another place in 3.1: a DagBag, the stored form of a DAG, the deferral."""

from __future__ import annotations

import importlib
from typing import Any

try:
    from airflow.sdk.exceptions import TaskDeferred
except ImportError:
    from airflow.exceptions import TaskDeferred  # type: ignore[no-redef,attr-defined]

__all__ = ["TaskDeferred", "filled_bag", "serialization"]


def filled_bag(folder: str) -> Any:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag  # type: ignore[no-redef,attr-defined]

        return DagBag(dag_folder=folder, include_examples=False)
    return DagBag(dag_folder=folder, bundle_name="dags-folder")


def serialization() -> Any:
    """The class whose ``to_dict`` and ``from_dict`` Airflow stores DAGs with."""
    module: Any = importlib.import_module("airflow.serialization.serialized_objects")
    return getattr(module, "DagSerialization", None) or module.SerializedDAG
