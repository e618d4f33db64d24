"""The assets of a league: what its tasks report to Airflow, so that other DAGs may run on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Asset

from sportmonks.airflow_compat import HAS_PARTITIONS

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context


def league_assets(slug: str) -> list[Asset]:
    """``football.fixtures.<slug>``, and where events have partition keys ``football.seasons.<slug>``.

    They are two, because in Airflow an event with a key starts no DAG whose schedule is the asset itself.
    """
    names = (f"football.fixtures.{slug}", *((f"football.seasons.{slug}",) if HAS_PARTITIONS else ()))
    return [Asset(name) for name in names]


def report_season(context: Context, task: BaseOperator, season_id: int, saved: int, changed: int) -> None:
    """An event for each asset of the task once it has succeeded: extra ``{season_id, saved, changed}``, the season as
    the partition key of ``football.seasons``. None when nothing was saved.

    ``task``: the one that runs. Airflow makes an event for each of its outlets, so without outlets there is none.
    """
    if not saved:
        task.outlets = []
    for asset in task.outlets:
        event = context["outlet_events"][asset]
        event.extra = {"season_id": season_id, "saved": saved, "changed": changed}
        if asset.name.startswith("football.seasons."):
            event.add_partitions(str(season_id))
