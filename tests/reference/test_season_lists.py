"""Stages, rounds, teams, venues: read when due, newest first, so many per run, and nothing breaks a run but the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.rows import dict_row

from local.stack.airflow import warehouse_connection
from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.api.budget import CallAccount, UnlimitedBudget
from sportmonks.api.client import SportmonksClient
from sportmonks.config.catalog import Catalog, GuardSettings, SweepSettings
from sportmonks.config.manifest import League, Manifest, build_manifest
from sportmonks.errors import BudgetWait, FatalApiError, OutsidePlanError, TransientApiError
from sportmonks.incremental import IncrementalCollector
from sportmonks.operators.catalog import StructureOperator
from sportmonks.reference.leagues import suspected_to_vanish
from sportmonks.reference.lists import collect_list
from sportmonks.reference.season_lists import LISTS, ListResult, SeasonLists
from sportmonks.reference.store import store_list
from sportmonks.warehouse.connection import open_connection
from tests.harness.routes import instance_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(leagues=2, seasons=4, teams=4, limit=100_000, now="2026-03-01T12:00:00Z") as box:
        yield box


@pytest.fixture
def box(sandbox: RunningSandbox) -> RunningSandbox:
    sandbox.reset()
    return sandbox


@pytest.fixture
def client(box: RunningSandbox) -> Iterator[SportmonksClient]:
    with SportmonksClient(box.base_url, box.key, budget=UnlimitedBudget(), sleep=lambda _: None) as found:
        yield found


class Job:
    """The same job on successive days; each run has an execution of its own."""

    def __init__(self, dsn: str, client: Any, per_run: int = 100) -> None:
        self.dsn, self.client, self.sweep = dsn, client, SweepSettings(structure_seasons_per_run=per_run)
        self.runs = 0
        self.leagues: list[int] = []

    def connect(self) -> psycopg.Connection[Any]:
        return open_connection(self.dsn, autocommit=True)

    def seasons(self, rows: list[dict[str, Any]]) -> None:
        with self.connect() as conn:
            store_list(conn, "seasons", rows, NOW)
        self.leagues = sorted({row["league_id"] for row in rows})

    def run(self, days: float = 0, client: Any = None) -> dict[str, ListResult]:
        self.runs += 1
        now = NOW + days * DAY
        job = SeasonLists(
            self.connect, client or self.client, self.leagues, self.sweep, f"etl_{self.runs}", clock=lambda: now
        )
        return job.read()

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as conn:
            return conn.execute(query, values or None).fetchall()  # type: ignore[arg-type]

    def one(self, query: str, *values: Any) -> Any:
        (row,) = self.rows(query, *values)
        return next(iter(row.values())) if len(row) == 1 else row


@pytest.fixture
def job(warehouse_dsn: str, client: SportmonksClient) -> Job:
    found = Job(warehouse_dsn, client)
    found.seasons([season for league in client.leagues() for season in league["seasons"]])
    return found


def test_every_row_of_every_list_is_stored(job: Job, client: SportmonksClient) -> None:
    done = job.run()
    assert {name: (result.seasons, result.left, result.stopped) for name, result in done.items()} == dict.fromkeys(
        LISTS, (8, 0, None)
    )
    ids = [row["id"] for row in job.rows("SELECT id FROM football.seasons")]
    for name in LISTS:
        given = {row["id"]: row for season in ids for row in getattr(client, name)(season)}
        stored = {row["id"]: row for row in job.rows(f"SELECT * FROM football.{name}")}
        assert stored.keys() == given.keys(), name
        for key, row in stored.items():
            assert row["name"] == given[key]["name"]
            for column in ("starting_at", "ending_at"):
                if column in row:
                    assert row[column] == date.fromisoformat(given[key][column])
    assert job.one("SELECT count(*) FROM football.venues WHERE latitude IS NULL") == 0


def test_days_do_not_hang_on_the_time_zone_of_the_connection(job: Job, client: SportmonksClient) -> None:
    season = job.one("SELECT min(id) FROM football.seasons")
    stages = client.stages(season)
    with job.connect() as conn:
        conn.execute("SET timezone = 'America/Los_Angeles'")
        store_list(conn, "stages", stages, NOW)
    stored = {row["id"]: row["starting_at"] for row in job.rows("SELECT id, starting_at FROM football.stages")}
    assert stored == {row["id"]: date.fromisoformat(row["starting_at"]) for row in stages}


def test_each_list_is_a_collector_with_its_figures(job: Job) -> None:
    job.run()
    runs = {row["collector_name"]: row for row in job.rows("SELECT * FROM etl.collector_runs")}
    assert set(runs) == {f"structure:{name}" for name in LISTS}
    for name in LISTS:
        row = runs[f"structure:{name}"]
        distinct = job.one(f"SELECT count(*) FROM football.{name}")
        assert (row["status"], row["execution_id"], row["records_failed"]) == ("success", "etl_1", 0)
        assert row["records_inserted"] == distinct
        counts = (row["records_inserted"], row["records_updated"], row["records_unchanged"])
        assert row["records_processed"] == sum(counts)
    # A team plays in several seasons: its later readings are no insertions.
    assert runs["structure:teams"]["records_unchanged"] > 0


def test_a_run_takes_the_newest_seasons_and_the_next_one_goes_on(job: Job, box: RunningSandbox) -> None:
    job.sweep = SweepSettings(structure_seasons_per_run=3)
    box.admin("DELETE", "/calls")
    assert {(found.seasons, found.left) for found in job.run().values()} == {(3, 5)}
    assert box.calls()["total"] == 3 * len(LISTS)
    first = {row["season_id"] for row in job.rows("SELECT DISTINCT season_id FROM football.stages")}
    current = {row["id"] for row in job.rows("SELECT id FROM football.seasons WHERE is_current")}
    assert current < first
    assert [found.left for found in job.run().values()] == [2] * 4
    assert [found.left for found in job.run().values()] == [0] * 4
    assert job.one("SELECT count(DISTINCT season_id) FROM football.rounds") == 8


def test_the_age_of_each_season_decides(job: Job, box: RunningSandbox) -> None:
    job.run()
    updated = job.rows("SELECT id, updated_at FROM football.teams ORDER BY id")
    box.admin("DELETE", "/calls")
    due = {0.5: 0, 1: 4, 8: 6, 31: 8}
    for day, seasons in due.items():
        assert {found.seasons for found in job.run(day).values()} == {seasons}, day
    assert box.calls()["total"] == sum(due.values()) * len(LISTS)
    assert job.rows("SELECT id, updated_at FROM football.teams ORDER BY id") == updated


def test_none_per_run_is_none(job: Job, box: RunningSandbox) -> None:
    job.sweep = SweepSettings(structure_seasons_per_run=0)
    box.admin("DELETE", "/calls")
    job.run()
    assert box.calls()["total"] == 0


class Faulty:
    """Answers one row per season and list, except where a fault is set: ``faults[list]`` by place of the call."""

    def __init__(self, **faults: Any) -> None:
        self.faults = faults
        self.calls: dict[str, list[int]] = {name: [] for name in LISTS}
        self.accounts: list[str | None] = []

    def count_calls_for(self, account: CallAccount) -> None:
        self.accounts.append(account.collector)

    def __getattr__(self, name: str) -> Any:
        def read(season_id: int) -> list[dict[str, Any]]:
            self.calls[name].append(season_id)
            fault = self.faults.get(name)
            found = fault(len(self.calls[name])) if fault else None
            if isinstance(found, Exception):
                raise found
            return [{"id": season_id * 10, "name": "x", "season_id": season_id}] if found is None else found

        return read


def always(value: Any) -> Any:
    return lambda _: value


def status(job: Job, name: str) -> tuple[str, str | None]:
    query = (
        "SELECT status, error_message FROM etl.collector_runs WHERE collector_name = %s ORDER BY run_id DESC LIMIT 1"
    )
    row = job.one(query, f"structure:{name}")
    return row["status"], row["error_message"]


def test_a_list_that_the_server_does_not_have_is_left_out_at_once(job: Job) -> None:
    client = Faulty(venues=always(FatalApiError("The requested endpoint does not exist")))
    done = job.run(client=client)
    assert len(client.calls["venues"]) == 1
    assert client.accounts == [f"structure:{name}" for name in LISTS]
    assert (done["teams"].seasons, done["venues"].seasons) == (8, 0)
    assert "endpoint does not exist" in (done["venues"].stopped or "")
    assert status(job, "venues")[0] == "success"
    assert job.run(client=Faulty())["venues"].seasons == 8


@pytest.mark.parametrize("answer", [OutsidePlanError("no venues"), []], ids=["outside the plan", "no result"])
def test_a_list_without_any_row_ends_after_a_few_calls(job: Job, answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = Faulty(venues=always(answer))
    done = job.run(client=client)
    assert len(client.calls["venues"]) == 3
    assert done["venues"].stopped == "no season has any row"
    assert sum("No venues of season" in record.message for record in caplog.records) == 1


def test_a_season_without_rows_does_not_end_its_list(job: Job) -> None:
    client = Faulty(stages=lambda place: [] if place > 1 else None, rounds=lambda place: OutsidePlanError("no"))
    done = job.run(client=client)
    assert (done["stages"].seasons, done["stages"].stopped) == (8, None)
    # Looked at is looked at: it waits for its turn like the others.
    assert job.run(client=Faulty())["stages"].seasons == 0


def test_a_season_without_rows_is_read_again_with_growing_delay_until_that_is_believed(job: Job) -> None:
    assert job.run(client=Faulty(teams=lambda place: [] if place == 8 else None))["teams"].seasons == 8
    hours = 0.0
    for delay in (1, 2, 4):
        for late, seasons in ((-0.01, 0), (0.01, 1)):
            done = job.run((hours + delay + late) / 24, client=Faulty(teams=always([])))
            assert done["teams"].seasons == seasons
        hours += delay + 0.01
    assert job.one("SELECT count(*) AS n FROM etl.collector_periods WHERE collector_name = 'structure:teams'") == 8
    assert job.rows("SELECT * FROM etl.collector_empty_periods") == []


def test_an_answer_with_rows_of_another_season_does_not_count_as_read(
    job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy has answered with what it had of another request: all rows are of season 1, or all but one are."""
    foreign = {"id": 1, "name": "x", "season_id": 1}
    own = {"id": 2, "name": "y", "season_id": None}
    answers: list[Any] = [[foreign], [foreign, own]]
    client = Faulty(rounds=lambda place: answers[place - 1] if place <= 2 else None)
    job.run(client=client)
    read = "SELECT count(*) AS n FROM etl.collector_periods WHERE collector_name = 'structure:rounds'"
    assert job.one(read) == 6
    assert job.rows("SELECT id FROM football.rounds WHERE season_id = 1") == []
    assert "of other seasons" in caplog.text
    again = Faulty()
    assert job.run(0.05, client=again)["rounds"].seasons == 2
    assert again.calls["rounds"] == client.calls["rounds"][:2]
    assert job.one(read) == 8


def test_a_season_that_came_empty_once_is_stored_when_it_comes(job: Job) -> None:
    job.run(client=Faulty(teams=lambda place: None if place % 2 else []))
    client = Faulty()
    assert job.run(0.05, client=client)["teams"].seasons == 4
    assert [job.run(0.1, client=Faulty())["teams"].seasons for _ in range(2)] == [0, 0]
    assert job.rows("SELECT * FROM etl.collector_empty_periods") == []


def test_a_wait_for_calls_ends_the_list_until_the_next_run(job: Job) -> None:
    wait = BudgetWait("No Team call", entity="Team", seconds=900, until=NOW + DAY)
    done = job.run(client=Faulty(teams=lambda place: wait if place > 2 else None))
    assert (done["teams"].seasons, done["teams"].left, done["venues"].seasons) == (2, 6, 8)
    assert status(job, "teams") == ("success", f"goes on in the next run: {wait}")
    client = Faulty()
    assert job.run(client=client)["teams"].seasons == 6
    assert client.calls["venues"] == []


def test_one_season_in_trouble_does_not_keep_the_others(job: Job) -> None:
    done = job.run(client=Faulty(rounds=lambda place: TransientApiError("500") if place == 1 else None))
    assert (done["rounds"].seasons, done["rounds"].left, done["rounds"].figures.failed) == (7, 1, 1)


def test_an_api_that_keeps_failing_fails_the_task_and_costs_nothing_that_was_read(job: Job) -> None:
    client = Faulty(rounds=lambda place: TransientApiError("HTTP 500") if place > 2 else None)
    with pytest.raises(TransientApiError, match="HTTP 500"):
        job.run(client=client)
    assert {name: len(ids) for name, ids in client.calls.items()} == {
        "stages": 8, "rounds": 5, "teams": 8, "venues": 8}  # fmt: skip
    assert status(job, "rounds")[0] == "failed"
    again = Faulty()
    assert job.run(client=again)["rounds"].seasons == 6
    assert again.calls["stages"] == []


def test_a_complete_list_is_recorded_with_its_data(job: Job) -> None:
    rows = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    collect_list(job.connect, "types", lambda: rows, collector="reference:types", execution_id="etl_1")
    rows[1]["name"] = "c"
    figures = collect_list(job.connect, "types", lambda: rows, collector="reference:types", execution_id="etl_2")
    assert (figures.processed, figures.inserted, figures.updated, figures.unchanged) == (2, 0, 1, 1)
    found = job.rows("SELECT * FROM etl.collector_runs WHERE collector_name = 'reference:types' ORDER BY run_id")
    assert [(row["status"], row["records_inserted"], row["records_updated"]) for row in found] == [
        ("success", 2, 0), ("success", 0, 1)]  # fmt: skip


@pytest.mark.parametrize("again", [[], [{"id": 1, "name": "b"}]])
def test_a_complete_list_that_comes_empty_is_requested_again_and_never_empties_what_is_known(
    job: Job, again: list[dict[str, Any]]
) -> None:
    rows = [{"id": 1, "name": "a"}]
    collect_list(job.connect, "types", lambda: rows, collector="reference:types", execution_id="etl_1")
    answers = iter([[], again])
    figures = collect_list(
        job.connect, "types", lambda: next(answers), collector="reference:types", execution_id="etl_2"
    )
    row = job.one("SELECT status, error_message FROM etl.collector_runs ORDER BY run_id DESC LIMIT 1")
    name = job.one("SELECT name FROM football.types")
    if again:
        assert (figures.updated, row["status"], name) == (1, "success", "b")
    else:
        assert (figures.processed, row["status"], name) == (0, "failed", "a")
        assert row["error_message"] == "The API lists nothing; what is known is kept."


def test_leagues_that_are_no_longer_listed_stay_until_that_is_believed(job: Job) -> None:
    def league(number: int) -> League:
        return League(id=number, name=f"L{number}", slug=f"l{number}", schedule=None, deadline_minutes=60, includes=())

    known = Manifest(leagues=(league(8), league(9)))
    offered = [{"id": 8, "name": "L8", "seasons": []}]
    with job.connect() as conn:

        def missing(hours: float) -> tuple[int, ...]:
            return suspected_to_vanish(conn, known, offered, NOW + timedelta(hours=hours), GuardSettings())

        assert [missing(hours) for hours in (0, 0.5, 2, 26, 50)] == [(9,), (9,), (9,), (9,), ()]
        offered.append({"id": 9, "name": "L9", "seasons": []})
        assert missing(60) == ()
        offered.pop()
        assert missing(70) == (9,)
        with pytest.raises(TransientApiError, match="lists no league"):
            suspected_to_vanish(conn, known, [], NOW, GuardSettings())
        assert suspected_to_vanish(conn, None, [], NOW, GuardSettings()) == ()
    kept = build_manifest(Catalog(), offered, known, keep=(9,))
    assert [each.id for each in kept.leagues] == [8, 9]
    assert kept.leagues[1] == known.leagues[1]
    assert [each.id for each in build_manifest(Catalog(), offered, known).leagues] == [8]


def test_a_failure_is_recorded_without_secrets(job: Job) -> None:
    with (
        pytest.raises(TransientApiError),
        IncrementalCollector("leagues", job.connect, "etl_1"),
        IncrementalCollector("seasons", job.connect, "etl_1"),
    ):
        raise TransientApiError("GET /leagues?api_token=s3cr3t-Key-0123456789 failed")
    rows = job.rows("SELECT collector_name, status, error_message FROM etl.collector_runs")
    assert {(row["collector_name"], row["status"]) for row in rows} == {("leagues", "failed"), ("seasons", "failed")}
    assert all("failed" in row["error_message"] and "s3cr3t" not in row["error_message"] for row in rows)


def test_the_operator(job: Job, box: RunningSandbox, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    leagues = tuple(
        League(id=key, name=str(key), slug=str(key), schedule=None, deadline_minutes=60, includes=())
        for key in job.leagues[:1]
    )
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(warehouse_dsn))
    api = {"conn_type": "http", "host": box.base_url, "password": box.key}
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_API", json.dumps(api))
    monkeypatch.setenv("AIRFLOW_VAR_SPORTMONKS_MANIFEST", msgspec.json.encode(Manifest(leagues=leagues)).decode())
    dag_run = SimpleNamespace(dag_id="sportmonks_catalog", run_id="manual__1", run_after=NOW, run_type="manual")
    context: Any = {"dag_run": dag_run, "ti": instance_of(dag_run, "structure")}
    result = StructureOperator(task_id="structure").execute(context)
    assert {name: found["seasons"] for name, found in result.items()} == dict.fromkeys(LISTS, 4)
    json.dumps(result)
    names = {row["execution_id"] for row in job.rows("SELECT execution_id FROM etl.collector_runs")}
    assert len(names) == 1
    assert names.pop().startswith("etl_20260301_120000_")
