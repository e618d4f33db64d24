"""From the manifest to DAGs: groups by season's name, setup and teardown, salvage, speed, the trigger form."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup, chain
from airflow.sdk.definitions.context import _AIRFLOW_PARSING_CONTEXT_DAG_ID, _AIRFLOW_PARSING_CONTEXT_TASK_ID
from airflow.sdk.definitions.param import ParamsDict

from sportmonks.airflow_compat import AirflowException
from sportmonks.config.catalog import Catalog
from sportmonks.config.manifest import Manifest, build_manifest
from sportmonks.planning.form import SECTIONS
from sportmonks.planning.run_params import NAMES
from sportmonks.render.league import EARLIER_GROUP
from sportmonks.render.manifest import PROBLEM_DAG, league_dags
from tests.dags.bag import serialization
from tests.harness.manifests import manifest, plain, text

# The tasks of a league's DAG that stand around its seasons.
AROUND = {"start", "finish_execution", "alerts"}


def only(found: dict[str, DAG]) -> DAG:
    (dag,) = found.values()
    return dag


# ---- shape


@pytest.mark.parametrize(
    ("task_id", "groups"),
    [
        ("season_2001_2002.collect", {"season_2001_2002"}),
        ("season_2000_2001.close", {"season_2000_2001"}),
        ("start", {"season_2000_2001", "season_2001_2002", "season_2002_2003"}),
    ],
)
def test_a_task_gets_the_part_of_its_dag_that_it_needs(
    task_id: str, groups: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = text(manifest(leagues=2, seasons=3))
    complete = league_dags(found)["sportmonks_league_1"]
    # As Airflow does it in the process of a task.
    monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_DAG_ID, "sportmonks_league_1")
    monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_TASK_ID, task_id)
    part = only(league_dags(found))
    assert {task.partition(".")[0] for task in part.task_ids} == groups | AROUND
    mine, same = part.get_task(task_id), complete.get_task(task_id)
    assert (mine.upstream_task_ids, mine.downstream_task_ids) == (same.upstream_task_ids, same.downstream_task_ids)
    # The parameters have the same values, and take others without a look at the form's schema.
    assert dict(part.params) == dict(complete.params)
    part.params["max_fixtures"] = 5
    assert part.params.validate()["max_fixtures"] == 5
    assert part.params.get_param("max_fixtures").schema == {}
    assert complete.params.get_param("max_fixtures").schema != {}


def test_one_dag_per_league_one_group_per_season() -> None:
    dags = league_dags(text(manifest(leagues=2, seasons=3)))
    assert sorted(dags) == ["sportmonks_league_1", "sportmonks_league_2"]
    dag = dags["sportmonks_league_1"]
    groups = sorted(dag.task_group.get_task_group_dict().keys() - {None, EARLIER_GROUP})
    assert groups == ["season_2000_2001", "season_2001_2002", "season_2002_2003"]
    assert {task for task in dag.task_ids if "." not in task} == AROUND
    for group in groups:
        assert {task for task in dag.task_ids if task.startswith(f"{group}.")} == {f"{group}.collect", f"{group}.close"}
        assert dag.get_task(f"{group}.collect").upstream_task_ids == {"start"}
        assert dag.get_task(f"{group}.close").upstream_task_ids == {"start", f"{group}.collect"}
        assert f"{group}.close" in dag.get_task("finish_execution").upstream_task_ids


def in_airflow(dag: DAG) -> dict[str, list[str]]:
    """Ids in the order of Airflow's grid, from the stored form of the DAG: at the top, and of each group."""
    stored: Any = serialization().from_dict(json.loads(json.dumps(serialization().to_dict(dag))))
    groups = stored.task_group.get_task_group_dict()
    return {group_id or "": [node.node_id for node in group.topological_sort()] for group_id, group in groups.items()}


def with_current(*current: int) -> DAG:
    """The DAG of a league with the seasons 2000/2001 to 2003/2004, of which these (0 to 3) are current."""
    found = plain(manifest(leagues=1, seasons=4))
    for season in found["leagues"][0]["seasons"]:
        season["is_current"] = season["id"] - 100 in current
    return only(league_dags(json.dumps(found)))


FOUR = ["season_2000_2001", "season_2001_2002", "season_2002_2003", "season_2003_2004"]


@pytest.mark.parametrize(
    ("current", "top", "earlier"),
    [
        ((3,), FOUR[3:], FOUR[:3]),
        ((2, 3), FOUR[2:], FOUR[:2]),
        ((2,), FOUR[2:], FOUR[:2]),  # one that is yet to come is not an earlier one
        ((0,), FOUR, []),
        ((), FOUR, []),
    ],
)
def test_the_current_season_is_on_top_of_the_grid(current: tuple[int, ...], top: list[str], earlier: list[str]) -> None:
    order = in_airflow(with_current(*current))
    group = [EARLIER_GROUP] if earlier else []
    # Airflow 3.1 shows groups before the task that they wait for.
    assert [node for node in order[""] if node not in AROUND] == [*top, *group]
    assert order.get(EARLIER_GROUP, []) == earlier
    assert order[FOUR[0]] == [f"{FOUR[0]}.collect", f"{FOUR[0]}.close"]


def test_the_group_of_earlier_seasons_changes_no_task() -> None:
    """Ids, edges and kinds of tasks are as without it, so histories and cleared runs go on."""

    def tasks(dag: DAG) -> dict[str, Any]:
        return {
            task.task_id: (task.upstream_task_ids, task.downstream_task_ids, task.is_teardown, task.label)
            for task in dag.tasks
        }

    assert tasks(with_current(3)) == tasks(with_current())


def test_one_season_has_no_group_around_it() -> None:
    assert EARLIER_GROUP not in only(league_dags(text(manifest(leagues=1, seasons=1)))).task_group.children


def test_a_new_season_moves_the_one_before_and_its_tasks_stay() -> None:
    before = manifest(leagues=1, seasons=2)
    after = manifest(leagues=1, seasons=3, previous=before)
    tasks = {task for task in only(league_dags(text(before))).task_ids}
    assert tasks < set(only(league_dags(text(after))).task_ids)
    assert in_airflow(only(league_dags(text(after))))[EARLIER_GROUP] == ["season_2000_2001", "season_2001_2002"]


def test_teardowns_run_whatever_happened_and_do_not_decide() -> None:
    """A failed chunk leaves the run failed; its end and that of the run are recorded all the same."""
    dag = only(league_dags(text(manifest(leagues=1, seasons=2))))
    assert not any(task.is_setup for task in dag.tasks)
    teardowns = {task.task_id for task in dag.tasks if task.is_teardown}
    groups = ("season_2000_2001", "season_2001_2002")
    assert teardowns == {"finish_execution", "alerts", *(f"{group}.close" for group in groups)}
    for task in dag.tasks:
        if task.is_teardown:
            assert not task.on_failure_fail_dagrun


def test_a_season_that_the_provider_dropped_keeps_its_group() -> None:
    before = manifest(leagues=1, seasons=3)
    after = manifest(leagues=1, seasons=1, previous=before)
    assert set(only(league_dags(text(after))).task_ids) == set(only(league_dags(text(before))).task_ids)


def test_a_league_without_seasons_is_a_dag_that_can_run() -> None:
    dag = only(league_dags(text(manifest(leagues=1, seasons=0))))
    assert set(dag.task_ids) == AROUND
    dag.params.validate()


def test_the_same_manifest_gives_the_same_dags() -> None:
    first, second = (only(league_dags(text(manifest(leagues=1)))) for _ in range(2))
    assert serialization().to_dict(first) == serialization().to_dict(second)


def test_schedules_come_from_the_manifest() -> None:
    found = plain(manifest(leagues=2))
    found["leagues"][1]["schedule"] = None
    dags = league_dags(json.dumps(found))
    stored = serialization().to_dict(dags["sportmonks_league_1"])["dag"]["timetable"]
    assert stored["__var"]["expression"] == "0 5 * * *"
    assert type(dags["sportmonks_league_2"].timetable).__name__ == "NullTimetable"


def test_names_that_are_no_names_are_rendered() -> None:
    offered = [
        {"id": 7, "name": "Премьер-лига {{ x }}", "seasons": [{"id": 1, "name": "2025/26 'A' {% raw %}"}]},
        {"id": 8, "name": "日本", "seasons": [{"id": 2, "name": "…"}]},
    ]
    dags = league_dags(text(build_manifest(Catalog(), offered)))
    assert PROBLEM_DAG not in dags
    assert len(dags) == 2
    assert "season_2" in str(dags["sportmonks_league_8"].task_ids)


# ---- a manifest that is missing, broken, half broken


@pytest.mark.parametrize("missing", [None, ""])
def test_no_manifest_is_a_dag_that_says_so(missing: str | None) -> None:
    dag = only(league_dags(missing))
    assert dag.dag_id == PROBLEM_DAG
    assert "Run the DAG sportmonks_catalog" in str(dag.description)
    assert str(dag.description) in str(dag.doc_md)


@pytest.mark.parametrize(
    "broken",
    ["{", "null", "[]", "5", '"x"', '{"leagues": 5}', '{"version": 9, "leagues": []}', "\ud800",
     '{"settings": {"retries": "x"}, "leagues": []}', '{"settings": {}, "leagues": [1, 2]}'],
)  # fmt: skip
def test_a_broken_manifest_is_a_dag_that_says_so(broken: str) -> None:
    dag = only(league_dags(broken))
    assert dag.dag_id == PROBLEM_DAG
    assert "cannot be read" in str(dag.description)
    assert "sportmonks_catalog" in str(dag.description)


def test_the_problem_fails_when_it_is_run() -> None:
    from sportmonks.errors import ConfigurationError

    task: Any = only(league_dags(None)).get_task("explain")
    with pytest.raises(ConfigurationError, match="There is no manifest yet"):
        task.python_callable()


BREAKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no slug": lambda league: league.pop("slug"),
    "seasons of a wrong kind": lambda league: league.update(seasons=[{"id": "x"}]),
    "slug that no dag may have": lambda league: league.update(slug="a b/c"),
    "group that no group may have": lambda league: league["seasons"][0].update(group="a b"),
    "group twice": lambda league: league["seasons"][0].update(group=league["seasons"][1]["group"]),
    "deadline of a wrong kind": lambda league: league.update(deadline_minutes="soon"),
    "no league": lambda league: league.clear(),
}


@pytest.mark.parametrize("how", BREAKS)
def test_one_broken_league_does_not_hide_the_others(how: str) -> None:
    found = plain(manifest(leagues=3))
    BREAKS[how](found["leagues"][1])
    dags = league_dags(json.dumps(found))
    assert {"sportmonks_league_1", "sportmonks_league_3", PROBLEM_DAG} == set(dags)
    message = str(dags[PROBLEM_DAG].description)
    assert ("League 2" if how != "no league" else "number 2") in message
    assert "sportmonks_catalog" in message


def old(found: Manifest) -> dict[str, Any]:
    """The manifest as version 0.1 of the package wrote it."""
    raw = plain(found)
    settings = raw.pop("settings")
    recheck = settings.pop("recheck")
    recheck["rungs_hours"] = recheck.pop("schedule_hours")
    return {**raw, "version": 1, "dials": {**settings, "refetch": recheck, "alerts": {"stale_hours": 12}}}


def test_an_old_manifest_gives_the_same_dags() -> None:
    found = manifest(leagues=2, seasons=2)
    before, after = league_dags(json.dumps(old(found))), league_dags(text(found))
    assert {name: set(dag.task_ids) for name, dag in before.items()} == {
        name: set(dag.task_ids) for name, dag in after.items()
    }
    start: Any = before["sportmonks_league_1"].get_task("start")
    assert start.settings["recheck"]["schedule_hours"] == (1.0, 24.0, 168.0, 720.0)
    alerts: Any = before["sportmonks_league_1"].get_task("alerts")
    assert alerts.thresholds["stale_hours"] == 12


@pytest.mark.parametrize("how", BREAKS)
def test_one_broken_league_of_an_old_manifest_does_not_hide_the_others(how: str) -> None:
    found = old(manifest(leagues=3))
    BREAKS[how](found["leagues"][1])
    assert {"sportmonks_league_1", "sportmonks_league_3", PROBLEM_DAG} == set(league_dags(json.dumps(found)))


def test_a_manifest_of_a_newer_release_is_a_dag_that_says_so() -> None:
    found = plain(manifest(leagues=1))
    dag = only(league_dags(json.dumps({**found, "version": 3})))
    assert dag.dag_id == PROBLEM_DAG
    assert "has version 3" in str(dag.description)


# ---- speed


def test_a_task_builds_its_own_dag_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "sportmonks_league_2")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "start")
    assert list(league_dags(text(manifest(leagues=3)))) == ["sportmonks_league_2"]


def baseline(leagues: int, seasons: int) -> None:
    """As many tasks in as many groups as plain Airflow makes them."""
    for league in range(leagues):
        with DAG(f"plain_{league}", schedule=None):
            first = EmptyOperator(task_id="first")
            for season in range(seasons):
                with TaskGroup(f"season_{season}"):
                    steps = [EmptyOperator(task_id=f"step_{n}") for n in range(2)]
                    chain(first, *steps)


def seconds(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def test_490_chunks_render_in_a_small_multiple_of_plain_airflow() -> None:
    found = text(manifest(leagues=35, seasons=14))
    ours = min(seconds(lambda: league_dags(found)) for _ in range(2))
    plain_airflow = min(seconds(lambda: baseline(35, 14)) for _ in range(2))
    dags = league_dags(found)
    assert len(dags) == 35
    assert sum(len(dag.tasks) for dag in dags.values()) == 35 * (len(AROUND) + 14 * 2)
    assert ours < 6 * plain_airflow, (
        f"{ours:.2f} s for 490 chunks, plain operators take {plain_airflow:.2f} s: what is slow in the renderer?"
    )


def test_one_of_490_chunks_costs_a_task_little(monkeypatch: pytest.MonkeyPatch) -> None:
    found = text(manifest(leagues=35, seasons=14))
    every_dag = seconds(lambda: league_dags(found))
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "sportmonks_league_7")
    assert min(seconds(lambda: league_dags(found)) for _ in range(3)) < every_dag / 8


# ---- the trigger form

REFUSED: dict[str, list[Any]] = {
    "seasons": ["2000/2001", ["1999/2000"], [12345], [None], [["2000/2001"]], 5, {"a": 1}],
    "date_from": ["soon", "2026-13-01", "01.02.2026", 20260101, ""],
    "date_to": ["2026-02-30", True],
    "batch_size": [0, 51, 1000, -1, 2.5, "10", None, True],
    "min_fixtures": [0, -1, "1", None, 1.5],
    "max_chunks": [0, -3, "all", 1.5],
    "max_fixtures": [0, "5", -1],
    "includes": ["participants", ["a b"], ["scores;events"], ["scores&api_token=x"], [5], [""]],
    "force": ["true", 1, None],
    "continue_from_checkpoint": ["no", 0],
    "clear_checkpoint": ["yes", None],
    "dry_run": ["false", 1],
    "track_performance": [2],
    "export_metrics": ["x"],
}
ACCEPTED: dict[str, list[Any]] = {
    "seasons": [[], ["2000/2001"], ["100"], [100, "2001/2002"]],
    "date_from": [None, "2026-01-31"],
    "date_to": [None, "2024-02-29"],
    "batch_size": [1, 50],
    "min_fixtures": [1, 400],
    "max_chunks": [None, 1],
    "max_fixtures": [None, 5000],
    "includes": [None, [], ["participants", "lineups.details", "lineups.details:type_id,data"]],
    "force": [True, False],
}


@pytest.fixture(scope="module")
def form() -> DAG:
    return only(league_dags(text(manifest(leagues=1))))


def test_every_parameter_of_the_design_is_in_the_form(form: DAG) -> None:
    assert set(form.params) == REFUSED.keys() == set(NAMES)
    for name in form.params:
        param = form.params.get_param(name)
        assert param.description, f"{name} has no help text: give it a description."
        assert param.schema.get("title"), f"{name} has no title."
        assert param.schema.get("section") in ("What", "How much", "Mode"), f"{name} is in no section."
    form.params.validate()
    # Airflow begins a heading with the first parameter of a section: those of one stand together.
    sections = [form.params.get_param(name).schema["section"] for name in form.params]
    assert list(dict.fromkeys(sections)) == [name for name, _ in itertools.groupby(sections)] == list(SECTIONS)


def test_leagues_come_first_with_their_country() -> None:
    found = plain(manifest(leagues=1))
    league = found["leagues"][0]
    league |= {"name": "Premier League", "country": "England"}
    dag = only(league_dags(json.dumps(found)))
    assert dag.dag_display_name == "Football: England Premier League"
    assert dag.dag_id == league_dags(text(manifest(leagues=1))).popitem()[0]
    assert "England" in dag.tags


def test_a_country_that_the_name_has_is_not_repeated() -> None:
    found = plain(manifest(leagues=1))
    found["leagues"][0].update({"name": "Superliga of Denmark", "country": "Denmark"})
    assert only(league_dags(json.dumps(found))).dag_display_name == "Football: Superliga of Denmark"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_nonsense_is_refused_by_name(form: DAG, name: str, value: Any) -> None:
    params = ParamsDict({key: form.params.get_param(key) for key in form.params})
    with pytest.raises((AirflowException, ValueError), match=name):
        params.update({name: value})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ACCEPTED.items() for value in values])
def test_sense_is_accepted(form: DAG, name: str, value: Any) -> None:
    assert form.params.get_param(name).resolve(value) == value


def test_seasons_are_offered_by_name(form: DAG) -> None:
    assert form.params.get_param("seasons").schema["examples"] == ["2002/2003", "2001/2002", "2000/2001"]


def test_the_bound_of_the_batch_is_the_catalogs() -> None:
    found = plain(manifest(leagues=1))
    found["settings"]["collect"].update(batch_size=20, max_batch_size=100)
    form = only(league_dags(json.dumps(found)))
    assert form.params["batch_size"] == 20
    assert form.params.get_param("batch_size").resolve(100) == 100


def test_identity_of_a_run_is_bound_never_written_into_sql() -> None:
    dag = only(league_dags(text(manifest(leagues=1, seasons=1))))
    for name in ("season_2000_2001.close", "finish_execution"):
        task: Any = dag.get_task(name)
        assert "{{" not in task.sql
        assert "execution_id(dag_run.dag_id" in task.parameters["execution_id"]
    assert isinstance(msgspec.to_builtins(manifest()), dict)
    assert dag.user_defined_macros is not None
    macro: Any = dag.user_defined_macros["execution_id"]
    assert macro("d", "r", datetime.fromisoformat("2026-03-01T05:00:00+00:00")).startswith("etl_20260301_050000_")


# ---- Airflow's Backfill


def test_a_test_run_has_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow would look for it among the stored ones and fail."""
    dag = only(league_dags(text(manifest(leagues=1))))
    seen: list[Any] = []
    monkeypatch.setattr(DAG, "test", lambda self, *_, **__: seen.append(self.deadline))
    assert dag.deadline
    dag.test()
    assert seen == [None]
