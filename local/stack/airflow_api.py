"""A client of Airflow's REST API for the command line."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import requests

from local.errors import LocalError

TIMEOUT = (5, 30)
# Airflow gives no more items at once, unless its maximum_page_limit is raised.
PAGE_SIZE = 100


class NotFoundError(LocalError):
    """404: no such DAG, run or variable."""


class RefusedError(LocalError):
    """400, 409 or 422: the API refuses the request; its message is in this one."""


class SilentError(LocalError):
    """Airflow has not answered, or only with an error of its own, for the time that a request is repeated."""


def run_page(airflow: str, dag_id: str, run_id: str) -> str:
    """The address of a DAG run in Airflow's pages. Times in an id stay readable."""
    return f"{airflow}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe=':+')}"


class AirflowApi:
    """A client with a login; reads are repeated while Airflow starts or is busy, triggers are not."""

    def __init__(self, url: str, password: Callable[[], str], *, user: str = "admin") -> None:
        self.url = url
        self.user = user
        self._password = password
        self._session = requests.Session()
        self._session.trust_env = False  # requests to 127.0.0.1 must not go through a proxy
        self._token = ""

    def close(self) -> None:
        self._session.close()

    def health(self) -> dict[str, Any]:
        """The body of /monitor/health (200 in any state); empty while Airflow does not respond."""
        try:
            answer = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=(2, 5))
            value = answer.json() if answer.ok else {}
        except (requests.RequestException, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return self.call("GET", path, params=params)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        timeout: float = 20.0,
        reads: bool = False,
    ) -> dict[str, Any]:
        """JSON response of `/api/v2<path>`; GET, and what `reads` only, is repeated for `timeout` seconds.

        Raises NotFoundError, RefusedError, LocalError.
        """
        deadline = time.monotonic() + (timeout if reads or method == "GET" else 0)
        while True:
            try:
                answer = self._ask(method, path, params, json)
            except requests.RequestException as error:
                reason = type(error).__name__
            else:
                if answer.status_code < 500:
                    return self._read(answer, method, path)
                reason = f"HTTP {answer.status_code}"
            if time.monotonic() > deadline:
                raise SilentError(
                    f"Airflow at {self.url} does not answer {method} {path} ({reason})",
                    hint="run `./etl status`, and `./etl down` and `./etl up` to start it afresh",
                )
            time.sleep(0.5)

    def _ask(
        self, method: str, path: str, params: Mapping[str, Any] | None, body: Any, *, again: bool = True
    ) -> requests.Response:
        if not self._token:
            self._sign_in()
        answer = self._session.request(
            method,
            f"{self.url}/api/v2{path}",
            params=params,
            json=body,
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=TIMEOUT,
        )
        if answer.status_code == 401 and again:  # tokens live for a day, a backfill may take longer
            self._token = ""
            return self._ask(method, path, params, body, again=False)
        return answer

    def _sign_in(self) -> None:
        body = {"username": self.user, "password": self._password()}
        answer = self._session.post(f"{self.url}/auth/token", json=body, timeout=TIMEOUT)
        if answer.status_code in (401, 403):
            raise LocalError(
                f"Airflow at {self.url} does not accept the password of {self.user!r}",
                hint="another Airflow may be listening there: set ETL_PORT to a port of your own",
            )
        answer.raise_for_status()
        self._token = str(answer.json()["access_token"])

    def _read(self, answer: requests.Response, method: str, path: str) -> dict[str, Any]:
        value: Any = {}
        with contextlib.suppress(ValueError):
            value = answer.json()
        if answer.ok:
            return value if isinstance(value, dict) else {"items": value}
        detail = value.get("detail", value) if isinstance(value, dict) else value
        message = f"Airflow refuses {method} {path} (HTTP {answer.status_code}): {_readable(detail)}"
        if answer.status_code == 404:
            raise NotFoundError(message)
        if answer.status_code in (400, 409, 422):
            raise RefusedError(message)
        raise LocalError(message, hint="run `./etl status`")

    def _listed(self, key: str, page: Callable[[int], Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Each item of a list. ``page`` gives the response from an offset on, which has the items under ``key``."""
        offset = 0
        while True:
            response = page(offset)
            yield from response[key]
            offset += len(response[key])
            if not response[key] or offset >= response["total_entries"]:
                return

    # -- requests of the commands ---------------------------------------------------------------------------

    def variable(self, key: str) -> str | None:
        try:
            return str(self.get(f"/variables/{quote(key, safe='')}")["value"])
        except NotFoundError:
            return None

    def dag_ids(self) -> set[str]:
        """The ids of all DAGs that are in a file now. For one DAG alone, Airflow builds it from what is stored, which
        takes as long as a hundred rows here."""
        return {dag["dag_id"] for dag in self._dags() if not dag.get("is_stale")}

    def _dags(self) -> Iterator[dict[str, Any]]:
        return self._listed("dags", lambda offset: self.get("/dags", limit=PAGE_SIZE, offset=offset))

    def unpause(self, dag_id: str) -> None:
        self.call("PATCH", f"/dags/{quote(dag_id, safe='')}", json={"is_paused": False})

    def trigger(self, dag_id: str, conf: Mapping[str, Any]) -> dict[str, Any]:
        """A new run; the API requires the key `logical_date` even when there is none."""
        body = {"logical_date": None, "conf": dict(conf)}
        return self.call("POST", f"/dags/{quote(dag_id, safe='')}/dagRuns", json=body)

    def parse(self, file: str, *, timeout: float) -> bool:
        """Ask for the DAG file of that name to be parsed now, because its DAGs have changed, and wait for that.

        False when that takes longer than `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        before: str | None = None
        while time.monotonic() < deadline:
            dags = [dag for dag in self._dags() if dag["fileloc"].endswith(f"/{file}")]
            parsed = max((str(dag["last_parsed_time"]) for dag in dags), default=None)
            if before is None and parsed is not None:
                before = parsed
                self.call("PUT", f"/parseDagFile/{dags[0]['file_token']}")
            elif before is not None and parsed is not None and parsed > before:
                return True
            time.sleep(0.5)
        return False

    def runs(self, dag_ids: Iterable[str], since: str) -> dict[tuple[str, str], dict[str, Any]]:
        """The runs of these DAGs that are not older than `since` (ISO 8601), by DAG id and run id, in as few requests
        as there are hundreds of them."""
        body = {"dag_ids": sorted(dag_ids), "run_after_gte": since, "page_limit": PAGE_SIZE, "order_by": "run_after"}

        def page(offset: int) -> dict[str, Any]:
            return self.call("POST", "/dags/~/dagRuns/list", json=body | {"page_offset": offset}, reads=True)

        return {(run["dag_id"], run["dag_run_id"]): run for run in self._listed("dag_runs", page)}

    def tasks(self, dag_id: str, run_id: str, *, state: str = "") -> list[dict[str, Any]]:
        """All task instances of a run, page by page."""
        path = f"/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        only = {"state": state} if state else {}
        return list(
            self._listed("task_instances", lambda offset: self.get(path, limit=PAGE_SIZE, offset=offset, **only))
        )

    def task_state(self, dag_id: str, run_id: str, task_id: str) -> str | None:
        """State of one task instance; None while it has none, also before the scheduler has made it."""
        path = (
            f"/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}/taskInstances/{quote(task_id, safe='')}"
        )
        try:
            state = self.get(path).get("state")
        except NotFoundError:
            return None
        return None if state is None else str(state)

    def log_lines(self, dag_id: str, run_id: str, task: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Structured log lines (`event`, `level`, …) of a task's last try."""
        run_path = f"/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}"
        path = f"{run_path}/taskInstances/{quote(task['task_id'], safe='')}/logs/{task['try_number']}"
        content = self.get(path, map_index=task.get("map_index", -1)).get("content", [])
        return [line if isinstance(line, dict) else {"event": str(line)} for line in content]


def _readable(detail: Any) -> str:
    """FastAPI's list of errors, or any other detail, in one line."""
    if isinstance(detail, list):
        parts = []
        for fault in detail:
            where = ".".join(str(part) for part in fault.get("loc", [])) if isinstance(fault, dict) else ""
            parts.append(f"{where}: {fault.get('msg', fault)}" if where else str(fault))
        return "; ".join(parts)
    # The first line holds the message; a JSON schema and the value follow.
    return str(detail).strip().split("\n", 1)[0]
