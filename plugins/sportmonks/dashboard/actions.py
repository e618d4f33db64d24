"""What people start from the page: the form's fields, the check of what they chose, and what became of it.

The page itself creates and stops DAG runs through Airflow's REST API, as its user (docs/adr/0020-page-starts-runs.md).
Here is what Airflow does not know: which league and season is which DAG and task, and whether a choice makes sense.

No postponed annotations here: FastAPI must see the dependency that each app brings.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from pydantic import BaseModel, Field

from sportmonks.config.manifest import League, Manifest, decode_manifest
from sportmonks.config.settings import MANIFEST_VARIABLE
from sportmonks.dashboard import queries, runs
from sportmonks.dashboard.pool import WarehousePool
from sportmonks.dashboard.security import Access
from sportmonks.errors import ConfigurationError
from sportmonks.planning.form import form_fields
from sportmonks.planning.run_params import read_params

# What is chosen in other ways than by a field: by cells, and by the button.
CHOSEN_ELSEWHERE = ("seasons", "dry_run")
# The ids of the runs that the page creates begin so.
RUN_PREFIX = "page__"
NO_LEAGUES = "No league is known yet. Run the DAG sportmonks_catalog once."

ReadManifest = Callable[[], Manifest]
RunId = Annotated[str, Path(max_length=250, pattern=r"^[A-Za-z0-9_.~:+-]+$")]
AirflowId = Annotated[str, Query(max_length=250, pattern=r"^[^\x00]*$")]


class ChosenLeague(BaseModel):
    """A league, and the ids of the chosen seasons; without any, all that have something due."""

    league_id: int
    seasons: list[int] = Field(default_factory=list, max_length=1000)


class Choice(BaseModel):
    """What somebody wants to start: leagues, and parameters that hold for each of them."""

    leagues: list[ChosenLeague] = Field(max_length=500)
    params: dict[str, Any] = {}


def airflow_manifest() -> Manifest:
    """The manifest of this Airflow; one without leagues while there is none. Raises ConfigurationError."""
    from sportmonks.airflow_compat import read_variable

    text = read_variable(MANIFEST_VARIABLE)
    return decode_manifest(text) if text else Manifest()


def router(access: Access, pool: WarehousePool, manifest: ReadManifest) -> APIRouter:
    """The routes of this module."""
    api = APIRouter()
    User = Annotated[Any, Depends(access.user)]

    @api.get("/api/form")
    def form(user: User, league_id: Annotated[list[int], Query(max_length=500)]) -> dict[str, Any]:
        """The chosen leagues, and the fields of the form, which are the same for all of them."""
        known = read(manifest)
        leagues = [league for league in known.leagues if league.id in league_id]
        return {
            "leagues": [
                {**described(league), "may_start": access.may_start(user, league.dag_id)} for league in leagues
            ],
            "unknown": sorted(set(league_id) - {league.id for league in leagues}),
            "fields": fields(known, leagues),
        }

    @api.post("/api/runs/check")
    def check(user: User, choice: Choice) -> dict[str, Any]:
        """The runs to create, or why they cannot be. Nothing is changed."""
        return planned_runs(read(manifest), choice, lambda dag_id: access.may_start(user, dag_id), datetime.now(UTC))

    @api.get("/api/backfills/{run_id}")
    def backfill(run_id: RunId) -> dict[str, Any]:
        """The executions of the DAG runs that have this id: one per league."""
        with pool.reading() as conn:
            rows = queries.backfill(conn, run_id)
        try:
            leagues = {league.dag_id: league for league in manifest().leagues}
        except ConfigurationError:
            leagues = {}
        names = {dag_id: {"league_id": league.id, "league_name": league.name} for dag_id, league in leagues.items()}
        return {"rows": rows, "leagues": names}

    @api.get("/api/place")
    def place(dag_id: AirflowId, run_id: AirflowId = "", task_id: AirflowId = "") -> dict[str, Any]:
        """The part of the page that shows a DAG, a run or a task of Airflow; null when it shows none of them."""
        with pool.reading() as conn:
            rows = runs.runs(conn, dag_id=dag_id, run_id=run_id, limit=1)["rows"] if run_id else []
            is_route = queries.is_route(conn, dag_id)
        execution = rows[0]["execution_id"] if rows else None
        league = next((league for league in read(manifest).leagues if league.dag_id == dag_id), None)
        group = task_id.rpartition(".")[0]
        season = next((season for season in league.seasons if season.group == group), None) if league else None
        if league and season:
            return {"place": f"season/{league.id}/{season.id}"}
        if execution:
            return {"place": f"run/{execution}"}
        if run_id.startswith(RUN_PREFIX):
            return {"place": f"backfill/{run_id}"}
        if is_route:
            return {"place": "routes"}
        return {"place": f"league/{league.id}" if league and not run_id else None}

    return api


def read(manifest: ReadManifest) -> Manifest:
    """The manifest; status 409 with the reason when it cannot be read."""
    try:
        return manifest()
    except ConfigurationError as error:
        raise HTTPException(409, str(error)) from None


def described(league: League) -> dict[str, Any]:
    """A league as the page needs it."""
    return {
        "league_id": league.id,
        "name": league.name,
        "dag_id": league.dag_id,
        "seasons": [
            {"season_id": season.id, "name": season.name, "is_current": season.is_current} for season in league.seasons
        ],
    }


def fields(manifest: Manifest, leagues: list[League]) -> list[dict[str, Any]]:
    """Name, schema and default of each field of the form, in its order. With several leagues, the includes that are
    requested by default are those of each league."""
    if not leagues:
        return []
    found = form_fields(leagues[0], manifest.settings)
    if len({league.includes for league in leagues}) > 1:
        found["includes"] |= {"examples": [], "description": "Includes to request. Empty: those of each league."}
    return [{"name": name, **field} for name, field in found.items() if name not in CHOSEN_ELSEWHERE]


def planned_runs(manifest: Manifest, choice: Choice, may_start: Callable[[str], bool], now: datetime) -> dict[str, Any]:
    """``run_id``: one id for the runs of all leagues, by which they are found again; ``runs``: DAG and parameters of
    each; ``problems``: league, reason and remedy of what cannot be started."""
    leagues = {league.id: league for league in manifest.leagues}
    runs: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    if not choice.leagues:
        problems.append({"league_id": None, "detail": "Nothing is chosen.", "hint": "Choose seasons, or a league."})
    for chosen in choice.leagues:
        problem = {"league_id": chosen.league_id}
        league = leagues.get(chosen.league_id)
        if league is None:
            known = ", ".join(f"{other.name} ({other.id})" for other in manifest.leagues[:8])
            detail = f"League {chosen.league_id} is not followed."
            problems.append({**problem, "detail": detail, "hint": f"Followed: {known}." if known else NO_LEAGUES})
        elif not may_start(league.dag_id):
            detail = f"Your Airflow role may not trigger {league.dag_id}, the DAG of {league.name}."
            problems.append({**problem, "detail": detail, "hint": "Ask an Airflow administrator for the permission."})
        else:
            conf = {**choice.params, **({"seasons": chosen.seasons} if chosen.seasons else {})}
            try:
                read_params(conf, league, manifest.settings)
            except ConfigurationError as error:
                problems.append({**problem, "detail": error.message, "hint": error.hint})
            else:
                runs.append({"league_id": league.id, "name": league.name, "dag_id": league.dag_id, "conf": conf})
    run_id = f"{RUN_PREFIX}{now:%Y%m%dT%H%M%SZ}_{secrets.token_hex(3)}"
    return {"run_id": run_id, "runs": runs, "problems": problems}


def with_tasks(execution: Mapping[str, Any], manifest: ReadManifest) -> dict[str, Any]:
    """A run whose chunks, if it has any, have the ``task_id`` that collects them in Airflow; null for one that the
    manifest no longer has."""
    if "chunks" not in execution:
        return dict(execution)
    try:
        known = manifest().leagues
    except ConfigurationError:
        known = ()
    tasks = {(league.id, season.id): f"{season.group}.collect" for league in known for season in league.seasons}
    chunks = [{**row, "task_id": tasks.get((row["league_id"], row["season_id"]))} for row in execution["chunks"]]
    return {**execution, "chunks": chunks}
