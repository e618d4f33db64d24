"""Waits for calls and errors of the API: what operators wait for, and which errors Airflow sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sandbox.testing import RunningSandbox
from sportmonks.airflow_compat import AirflowException, AirflowFailException, AirflowSkipException
from sportmonks.config.manifest import League, Manifest
from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    ConfigurationError,
    DataError,
    FatalApiError,
    LostLeaseError,
    OutsidePlanError,
    RateLimitError,
    SportmonksError,
    TransientApiError,
    WarehouseDownError,
)
from sportmonks.hooks.sportmonks import SportmonksHook
from sportmonks.operators.base import WarehouseOperator
from sportmonks.operators.catalog import PublishCatalogOperator, ReferenceOperator, StructureOperator
from sportmonks.operators.league import CollectOperator, StartOperator
from sportmonks.operators.routes import RouteExtractOperator
from sportmonks.routes.parse import parse_route
from sportmonks.triggers.budget import BudgetTrigger
from tests.dags.bag import TaskDeferred
from tests.operators.conftest import LATER, RUN, WHEN, Variables, context, plain

LEAGUE = League(id=8, name="L", slug="l", schedule=None, deadline_minutes=60, includes=("scores",))
SEASON = {"id": 1, "name": "S", "group": "g"}
ROUTE = parse_route("client: shop\nroute: orders\nconnection: sportmonks_api\npath: /page\npaging: {style: page}\n")
# Operator, the function that does its work, its arguments.
OPERATORS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "start": (StartOperator, "sportmonks.collect.discover.discover", plain(LEAGUE)),
    "collect": (CollectOperator, "sportmonks.collect.collect.collect", {"season": SEASON, **plain(LEAGUE)}),
    "reference": (ReferenceOperator, "sportmonks.reference.lists.collect_list", {}),
    "publish": (PublishCatalogOperator, "sportmonks.hooks.sportmonks.SportmonksHook.get_leagues", {}),
    "extract": (RouteExtractOperator, "sportmonks.routes.extract.run_route", {"route": ROUTE}),
}


def failing(name: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An operator whose work ends in this error."""
    kind, work, arguments = OPERATORS[name]

    def fails(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(work, fails)
    return kind(task_id=name, **arguments)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("kind", [BudgetWait, CircuitOpenError])
def test_a_wait_frees_the_slot_and_comes_back(
    box: RunningSandbox, monkeypatch: pytest.MonkeyPatch, name: str, kind: type[BudgetWait]
) -> None:
    wait = kind("no calls left", entity="Fixture", seconds=3600, until=LATER)
    task = failing(name, wait, monkeypatch)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context())
    found = deferred.value
    assert found.method_name == "resume"
    assert isinstance(found.trigger, BudgetTrigger)
    assert (found.trigger.until, found.trigger.entity) == (LATER, "Fixture")
    path, arguments = found.trigger.serialize()
    assert path == "sportmonks.triggers.budget.BudgetTrigger"
    assert BudgetTrigger(**json.loads(json.dumps(arguments))).until == LATER
    # What Airflow calls afterwards: resume(context, event=..., **kwargs).
    with pytest.raises(TaskDeferred):
        task.resume(context(), event={"waited_for": "Fixture"}, **(found.kwargs or {}))


@pytest.mark.parametrize("stored", [{}, {"outages": 0}, {"outages": 2}], ids=str)
def test_a_task_deferred_by_the_version_before_goes_on(
    box: RunningSandbox, manifest: Manifest, monkeypatch: pytest.MonkeyPatch, stored: dict[str, int]
) -> None:
    """Airflow stores a method's name and its arguments with a deferred task; the class comes from the DAG file."""
    monkeypatch.setattr(StartOperator, "do_branch", lambda *_: None)
    task = StartOperator(task_id="start", **plain(manifest.leagues[0]))
    found = task.resume_execution("resume", {"event": {"waited_for": "Fixture"}, **stored}, context())
    assert (len(found["indexes"]), found["index_failed"]) == (2, [])


def test_what_a_task_opened_is_closed_when_it_waits(box: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[SportmonksHook] = []
    close = SportmonksHook.close

    def recorded(hook: SportmonksHook) -> None:
        closed.append(hook)
        close(hook)

    monkeypatch.setattr(SportmonksHook, "close", recorded)
    wait = BudgetWait("no calls left", entity="Fixture", seconds=3600, until=LATER)
    with pytest.raises(TaskDeferred):
        failing("start", wait, monkeypatch).execute(context())
    assert len(closed) == 1


def test_the_lists_of_a_season_are_left_to_the_next_run_instead(
    box: RunningSandbox, manifest: Manifest, variables: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = BudgetWait("no calls left", entity="Team", seconds=3600, until=LATER)

    def fails(*_: Any) -> None:
        raise wait

    monkeypatch.setattr("sportmonks.api.client.SportmonksClient.teams", fails)
    result = StructureOperator(task_id="structure").execute(context())
    assert {name: found["seasons"] for name, found in result.items()} == {
        "stages": 4, "rounds": 4, "teams": 0, "venues": 4}  # fmt: skip
    assert result["teams"]["stopped"] == "goes on in the next run: no calls left"


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConfigurationError("wrong key.", hint="Check it."), AirflowFailException),
        (FatalApiError("bad filter."), AirflowFailException),
        (OutsidePlanError("not covered."), AirflowSkipException),
        (TransientApiError("503."), AirflowException),
        (RateLimitError("429.", entity="Fixture"), AirflowException),
        (DataError("odd.", ids=[1]), AirflowException),
        (LostLeaseError("taken over."), AirflowException),
        (SportmonksError("something."), AirflowException),
        (KeyError("a bug"), KeyError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_errors_in_airflows_terms(
    box: RunningSandbox, monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException, expected: type[BaseException]
) -> None:
    with pytest.raises(expected) as caught:
        failing(name, error, monkeypatch).execute(context())
    if expected is AirflowException:
        assert not isinstance(caught.value, AirflowFailException), "a passing fault is worth a retry"
    assert str(error) in str(caught.value)


@pytest.mark.parametrize(
    ("error", "raised", "status"),
    [
        (TransientApiError("503."), AirflowException, "FAILED"),
        (LostLeaseError("taken over."), AirflowException, "RUNNING"),
        (WarehouseDownError("restart."), TaskDeferred, "RUNNING"),
        (psycopg.errors.AdminShutdown("restart."), TaskDeferred, "RUNNING"),
    ],
)
def test_a_collector_stops_its_chunk_unless_that_is_somebody_elses(
    box: RunningSandbox,
    warehouse: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    raised: type[BaseException],
    status: str,
) -> None:
    """In a run that had ended and was cleared: no task that closes the chunk may follow."""
    for work in ("start_etl_execution(%s)", "open_chunk(%s, 8, 1)", "finish_etl_execution(%s)", "open_chunk(%s, 8, 1)"):
        warehouse.execute(f"SELECT etl.{work}".encode(), (RUN,))
    with pytest.raises(raised):
        failing("collect", error, monkeypatch).execute(context())
    assert warehouse.execute("SELECT status FROM etl.execution_chunks").fetchone() == (status,)


def waits(task: Any) -> Iterator[dict[str, Any]]:
    """The arguments of each deferral in a row, until the task fails: its error is raised."""
    kwargs: dict[str, Any] = {}
    while True:
        try:
            task.resume(context(), event={}, **kwargs)
        except TaskDeferred as deferred:
            kwargs = dict(deferred.kwargs or {})
            yield kwargs


@pytest.mark.parametrize("name", OPERATORS)
def test_an_api_that_keeps_failing_is_not_waited_for_for_ever(
    box: RunningSandbox, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    task = failing(name, CircuitOpenError("calls rest", entity="State", seconds=30, until=LATER), monkeypatch)
    found = waits(task)
    assert [next(found)["outages"], next(found)["outages"]] == [1, 2]
    with pytest.raises(AirflowException, match=r"kept failing over 2 waits\. calls rest") as caught:
        next(found)
    assert not isinstance(caught.value, AirflowFailException), "Airflow's retries apply"


class Waiting(WarehouseOperator):
    """Ends in this error each time; with ``answered``, after a call that succeeded."""

    error: Exception = BudgetWait("429.", entity="State", seconds=30, until=LATER)
    answered = False

    def perform(self, context: Any) -> None:
        if self.answered:
            self.call_succeeded()
        raise self.error


def test_waits_for_calls_end_when_no_call_has_succeeded_for_a_day() -> None:
    task = Waiting(task_id="waiting")
    found = waits(task)
    first = next(found)
    assert [next(found) for _ in range(10)] == [first] * 10, "the time of the first wait is kept"
    assert (first["outages"], first["absences"]) == (0, 0)

    def stored(hours: float) -> dict[str, Any]:
        return {"waiting_since": (datetime.now(UTC) - timedelta(hours=hours)).isoformat()}

    with pytest.raises(TaskDeferred):
        task.resume(context(), **stored(23.9))
    with pytest.raises(
        AirflowException, match=r"No call has succeeded since .* over waits of 24 hours\. 429\."
    ) as ended:
        task.resume(context(), **stored(24))
    assert not isinstance(ended.value, AirflowFailException), "Airflow's retries apply"
    with pytest.raises(TaskDeferred) as wait:
        task.resume(context(), **stored(-48))  # the clock has been set back
    assert datetime.fromisoformat((wait.value.kwargs or {})["waiting_since"]) <= datetime.now(UTC)
    task.answered = True
    with pytest.raises(TaskDeferred) as wait:
        task.resume(context(), **stored(30))
    assert datetime.fromisoformat((wait.value.kwargs or {})["waiting_since"]) > datetime.now(UTC) - timedelta(hours=1)


def test_outages_and_absences_in_turn_are_both_counted() -> None:
    task = Waiting(task_id="waiting")
    kwargs: dict[str, Any] = {}
    errors = [CircuitOpenError("calls rest", entity="State", seconds=30, until=LATER), WarehouseDownError("restart.")]
    counted = []
    for number in range(4):
        task.error = errors[number % 2]
        with pytest.raises(TaskDeferred) as wait:
            task.resume(context(), event={}, **kwargs)
        kwargs = dict(wait.value.kwargs or {})
        counted.append((kwargs["outages"], kwargs["absences"]))
    assert counted == [(1, 0), (1, 1), (2, 1), (2, 2)]
    task.error = errors[0]
    with pytest.raises(AirflowException, match="kept failing over 2 waits"):
        task.resume(context(), event={}, **kwargs)
    task.error, task.answered = errors[1], True
    with pytest.raises(TaskDeferred) as wait:
        task.resume(context(), event={}, **kwargs)
    # The call was counted in the warehouse: it was back.
    assert wait.value.kwargs == {"outages": 0, "absences": 1}


def test_a_call_that_succeeds_is_noticed(box: RunningSandbox) -> None:
    task = ReferenceOperator(task_id="reference")
    task.execute(context())
    assert task._called


def test_the_deadline_of_a_wait_is_in_the_future_of_the_clock_that_set_it() -> None:
    wait = BudgetWait("x", entity="Fixture", seconds=60, until=WHEN + timedelta(seconds=60))
    assert BudgetTrigger(wait.until, wait.entity).until - WHEN == timedelta(seconds=60)


def test_the_bound_of_waits_for_calls_does_not_begin_anew_with_a_retry(variables: Variables) -> None:
    class Waiting(WarehouseOperator):
        def perform(self, context: Any) -> None:
            raise BudgetWait("no calls left", entity="Fixture", seconds=3600, until=LATER)

    task = Waiting(task_id="waiting")
    first = context()
    with pytest.raises(TaskDeferred):
        task.execute(first)
    ((name, kept),) = [pair for pair in variables.items() if pair[0].startswith("sportmonks_waiting_")]
    long_ago = (datetime.now(UTC) - timedelta(hours=25)).isoformat()
    variables[name] = json.dumps({**json.loads(kept), "calls": long_ago})
    first["ti"].try_number = 2
    with pytest.raises(AirflowException, match="No call has succeeded since"):
        task.execute(first)
