"""What the tests of monitoring share: receivers of notifications, leagues that are late or fail at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from requests import HTTPError

from tests.harness.receivers import HookServer, MailServer, serving

if TYPE_CHECKING:
    from tests.e2e.stack import Etl

PAGE = "/sportmonks-etl"
SEASON = "2025/2026"  # over, so every fixture of it can be collected
LATE = {"sportmonks_superliga": 271, "sportmonks_fa_cup": 24, "sportmonks_ligue_1": 301}
FAILING_FIXTURES = {"sportmonks_serie_a": 384}
FAILING_RUNS = {"sportmonks_bundesliga": 82}
SHARE = 0.1

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found], what: str, seconds: float = 240) -> Found:
    """The first true value that ``look`` returns; AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(1)
    raise AssertionError(f"{what}: not seen within {seconds} s")


@dataclass
class Channels:
    """Where the notifications arrive."""

    mail: MailServer
    hook: HookServer

    def posts(self, dag_id: str) -> list[dict[str, Any]]:
        """Alerts about this DAG that were posted; each post of these tests holds one."""
        alerts = [alert for post in self.hook.posts for alert in post.body["alerts"]]
        return [alert for alert in alerts if alert["dag_id"] == dag_id]

    def mails(self, dag_id: str) -> list[Any]:
        return [mail for mail in self.mail.mails if mail.subject.endswith(f": {dag_id}")]


@pytest.fixture(scope="session")
def channels(etl: Etl) -> Iterator[Channels]:
    """Both set up as docs/operations/monitoring.md says: as connections of Airflow."""
    with serving(MailServer()) as mail, serving(HookServer()) as hook:
        connections = {"sportmonks_smtp": mail.connection(), "sportmonks_webhook": hook.connection()}
        for name, fields in connections.items():
            body = {"connection_id": name, **fields, "extra": json.dumps(fields["extra"])}
            etl.airflow("POST", "/connections", body)
        yield Channels(mail, hook)
        for name in connections:
            etl.airflow("DELETE", f"/connections/{name}")


@dataclass
class FailingLeagues:
    """Runs of the late and failing leagues, and the season of each, by DAG."""

    runs: dict[str, list[str]]
    seasons: dict[str, int]


@pytest.fixture(scope="session")
def failing_leagues(etl: Etl, channels: Channels) -> Iterator[FailingLeagues]:
    """Five leagues start at once: three are too slow for their deadline, one has fixtures that fail, one fails."""
    if not is_known(etl, next(iter(LATE))):
        wait_for(lambda: is_known(etl, "sportmonks_catalog"), "the DAG of the catalog")
        etl.trigger("sportmonks_catalog")
    chunks = etl.sandbox("GET", "/_admin/truth")["chunks"]
    leagues = {**LATE, **FAILING_FIXTURES, **FAILING_RUNS}
    season_of = {chunk["league_id"]: chunk["season_id"] for chunk in chunks if chunk["season_name"] == SEASON}
    seasons = {dag_id: season_of[league] for dag_id, league in leagues.items()}
    for dag_id in LATE:
        # Six calls of 14 s: longer than the deadline, and long enough to be seen in progress.
        match = {"path": "/multi/", "season": seasons[dag_id]}
        etl.sandbox("POST", "/_admin/faults", {"kind": "slow", "seconds": 14, "rate": 1.0, "match": match})
    for dag_id in FAILING_FIXTURES:
        rows = etl.sandbox("GET", f"/_admin/truth/fixtures?season={seasons[dag_id]}&brief=1")["fixtures"]
        for row in rows[: round(SHARE * len(rows))]:
            etl.sandbox("POST", "/_admin/faults", {"kind": "poison", "rate": 1.0, "match": {"fixture_id": row["id"]}})
    for dag_id in FAILING_RUNS:
        # A status that is not retried: the run fails at once, not after a minute of retries.
        match = {"season": seasons[dag_id]}
        etl.sandbox("POST", "/_admin/faults", {"kind": "status", "status": 400, "rate": 1.0, "match": match})
    runs = {}
    for dag_id, season in seasons.items():
        wait_for(lambda dag_id=dag_id: is_known(etl, dag_id), f"{dag_id} in Airflow")  # type: ignore[misc]
        times = 3 if dag_id in FAILING_RUNS else 1
        size = 5 if dag_id in LATE else 50
        runs[dag_id] = [etl.trigger(dag_id, seasons=[season], force=True, batch_size=size) for _ in range(times)]
    yield FailingLeagues(runs, seasons)
    etl.sandbox("DELETE", "/_admin/faults")


def is_known(etl: Etl, dag_id: str) -> bool:
    try:
        return bool(etl.airflow("GET", f"/dags/{dag_id}")["is_paused"] is False)
    except HTTPError as error:
        if error.response.status_code == 404:
            return False
        raise
