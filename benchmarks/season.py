"""A run over one season, as the operators make it, in the process of a benchmark's client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from sportmonks.api.calls import CallRecord
    from sportmonks.collect.context import RunContext
    from sportmonks.config.manifest import Season


class _Checkpoints(dict[str, str]):
    def set(self, key: str, value: str) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


def season_run(
    inputs: dict[str, Any], on_call: Callable[[CallRecord], None] | None = None
) -> tuple[RunContext, Season]:
    """A run over one season, recorded in the warehouse, as the operators make it.

    ``inputs``: `url`, `key`, `dsn`, `league_id`, `season_id` and, for another number of fetchers and writers than the
    default, `threads`; `execution_id` where there are several; `budgeted`: calls go through the budget that tasks
    share, and into the books.
    """
    from sportmonks.api.budget import PostgresBudget, UnlimitedBudget
    from sportmonks.api.client import SportmonksClient
    from sportmonks.collect.context import RunContext
    from sportmonks.config.catalog import CollectSettings, TaskSettings
    from sportmonks.config.manifest import League, Season
    from sportmonks.config.settings import API_CONN_ID, DEFAULT_INCLUDES
    from sportmonks.planning.run_params import read_params
    from sportmonks.warehouse.connection import open_connection

    season = Season(id=inputs["season_id"], name="Season", group="season")
    league = League(
        id=inputs["league_id"],
        name="League",
        slug="league",
        schedule=None,
        deadline_minutes=60,
        includes=DEFAULT_INCLUDES,
        seasons=(season,),
    )
    settings = TaskSettings()
    if threads := inputs.get("threads"):
        settings = TaskSettings(collect=CollectSettings(fetchers=threads, writers=threads, in_flight=2 * threads))

    def connect() -> psycopg.Connection[Any]:
        return open_connection(inputs["dsn"], autocommit=True)

    budget = PostgresBudget(connect, API_CONN_ID) if inputs.get("budgeted") else UnlimitedBudget()
    client = SportmonksClient(inputs["url"], inputs["key"], budget=budget, on_call=on_call)
    run = RunContext(
        execution_id=inputs.get("execution_id", "etl_20260101_000000_abcdef"),
        league=league,
        settings=settings,
        params=read_params({}, league, settings),
        connect=connect,
        client=lambda: client,
        checkpoints=_Checkpoints(),
    )
    with run.connect() as conn:
        conn.execute("SELECT etl.start_etl_execution(%s)", (run.execution_id,))
    return run, season
