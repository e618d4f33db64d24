"""What the page uses of Airflow's REST API, for tests of the page without Airflow; tests/e2e has the real one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Request

TRIGGER_KEYS = {"dag_run_id", "logical_date", "conf"}
STATES = {"success", "failed", "queued"}


class AirflowApi:
    """DAGs by id and their runs. ``admin`` may do everything, ``viewer`` may only look, as with Airflow's own roles.

    ``refusals``: DAG id -> status and detail with which its next runs are refused.
    """

    def __init__(self, *dag_ids: str) -> None:
        self.dags = {
            dag_id: {"dag_id": dag_id, "is_paused": False, "is_stale": False, "has_import_errors": False}
            for dag_id in dag_ids
        }
        self.runs: list[dict[str, Any]] = []
        self.refusals: dict[str, tuple[int, str]] = {}

    def find(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """The run; status 404 where there is none."""
        for run in self.runs:
            if (run["dag_id"], run["dag_run_id"]) == (dag_id, run_id):
                return run
        raise HTTPException(404, f"The DagRun with dag_id: `{dag_id}` and run_id: `{run_id}` was not found")

    def router(self) -> APIRouter:
        found = APIRouter(prefix="/api/v2")

        def user(cookie: str, *, changes: bool = False) -> str:
            name = cookie.removeprefix("_token=")
            if not name:
                raise HTTPException(401, "Not authenticated")
            if changes and name != "admin":
                raise HTTPException(403, "Forbidden")
            return name

        @found.get("/dags/{dag_id}")
        def dag(dag_id: str, cookie: Annotated[str, Header()] = "") -> dict[str, Any]:
            user(cookie)
            if dag_id not in self.dags:
                raise HTTPException(404, f"Dag with id {dag_id} was not found")
            return self.dags[dag_id]

        @found.post("/dags/{dag_id}/dagRuns")
        async def trigger(dag_id: str, request: Request, cookie: Annotated[str, Header()] = "") -> dict[str, Any]:
            name = user(cookie, changes=True)
            body = await request.json()
            if set(body) != TRIGGER_KEYS or request.headers["content-type"] != "application/json":
                raise HTTPException(422, "Unprocessable")
            if dag_id in self.refusals:
                raise HTTPException(*self.refusals[dag_id])
            if any((run["dag_id"], run["dag_run_id"]) == (dag_id, body["dag_run_id"]) for run in self.runs):
                raise HTTPException(409, "Unique constraint violation")
            run = {"dag_id": dag_id, "state": "queued", "note": None, "triggering_user_name": name, **body}
            self.runs.append(run)
            return run

        @found.get("/dags/~/dagRuns")
        def runs(
            run_id_pattern: str, run_after_gte: str, limit: int, offset: int, cookie: Annotated[str, Header()] = ""
        ) -> dict[str, Any]:
            user(cookie)
            rows = [run for run in self.runs if run_id_pattern in run["dag_run_id"]]
            return {"dag_runs": rows[offset : offset + limit], "total_entries": len(rows)}

        @found.patch("/dags/{dag_id}/dagRuns/{run_id}")
        async def change(
            dag_id: str, run_id: str, request: Request, cookie: Annotated[str, Header()] = ""
        ) -> dict[str, Any]:
            user(cookie, changes=True)
            body = await request.json()
            if set(body) - {"state", "note"} or body["state"] not in STATES:
                raise HTTPException(422, "Unprocessable")
            run = self.find(dag_id, run_id)
            run.update(body)
            return run

        return found
