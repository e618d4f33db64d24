"""Several workers collect the same leagues, and one of them is lost in the middle: pods of the KubernetesExecutor, as
processes of a small server that plays Kubernetes, and Celery workers with a real Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests

from tests.e2e import kills
from tests.e2e.monitoring import wait_for
from tests.e2e.stack import Etl, running_stack
from tests.harness.kubernetes_executor import Cluster, cluster
from tests.harness.pods import NAMESPACE
from tests.harness.workers import NotToBeHadError, Workers, celery_workers

pytestmark = pytest.mark.timeout(900)

LEAGUES = {"sportmonks_premier_league": 8, "sportmonks_la_liga": 564, "sportmonks_serie_a": 384}
SEASONS, SEASON_FIXTURES = 2, 56
BATCH = 4
LIMIT, WINDOW_S = 40, 10
# The scheduler notices a lost worker's tasks by their missing heartbeats.
HEARTBEATS = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
}


@pytest.fixture(scope="module")
def etl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etl]:
    world = (
        f"--leagues {len(LEAGUES)} --seasons {SEASONS} --teams 8 --frozen --latency 0.2"
        f" --limit {LIMIT} --window {WINDOW_S}"
    )
    catalog = {
        r"retry_delay_seconds: \d+": "retry_delay_seconds: 2",
        r"  max_inline_wait_seconds: \d+.*": "  max_inline_wait_seconds: 60",
    }
    with running_stack(tmp_path_factory.mktemp("workers"), world, catalog) as stack:
        done = stack("run", "--all", "--dry-run")
        assert done.returncode == 0, done.stdout + done.stderr
        yield stack


@pytest.fixture(scope="module")
def workers(etl: Etl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    try:
        with celery_workers(etl, tmp_path_factory.mktemp("celery"), HEARTBEATS) as found:
            for name in ("one", "two"):
                found.add(name, concurrency=2)
            yield found
    except NotToBeHadError as reason:
        pytest.skip(str(reason))


def delete(kubernetes: Cluster, pod: str) -> None:
    """As `kubectl delete pod` does, and a node that is drained, with less time than a season takes."""
    place = f"{kubernetes.api.url}/api/v1/namespaces/{NAMESPACE}/pods/{pod}"
    answer = requests.delete(place, json={"gracePeriodSeconds": 1}, timeout=30)
    assert answer.ok, answer.text


# Before the workers come: the stack has its own scheduler again afterwards.
def test_a_lost_pod_costs_the_batch_that_was_under_way(etl: Etl, tmp_path_factory: pytest.TempPathFactory) -> None:
    dag_id, league_id = "sportmonks_serie_a", LEAGUES["sportmonks_serie_a"]
    ways: list[Callable[[Cluster, str], object]] = [lambda cluster, pod: cluster.pods.kill(pod), delete]
    try:
        with cluster(etl, tmp_path_factory.mktemp("cluster"), HEARTBEATS) as kubernetes:
            kubernetes.schedule("KubernetesExecutor", at_once=4)
            for lose in ways:
                etl.sandbox("DELETE", "/_admin/calls")
                kubernetes.api.refuse = 1
                run = etl.trigger(dag_id, batch_size=BATCH, force=True)
                (lost, *_) = wait_for(kubernetes.collecting, "a pod that collects")
                task = kubernetes.pods.task(lost).partition(".")[2]
                lose(kubernetes, lost)
                kills.must_succeed(etl, dag_id, run)
                tasks = kills.tasks(etl, dag_id, run)
                assert {name: each["try_number"] for name, each in tasks.items() if each["try_number"] > 1} == {task: 2}
                kills.must_have_done(etl, dag_id, run, SEASONS * SEASON_FIXTURES)
                calls = etl.sandbox("GET", "/_admin/calls?last=0&fixtures=1")
                assert calls["fixtures_requested_distinct"] == SEASONS * SEASON_FIXTURES
                assert calls["fixtures_requested_again"] <= BATCH
                assert (calls["total_429"], calls["calls_after_remaining_zero"]) == (0, 0)
                assert kills.differences(etl, league_id) == []
    except NotToBeHadError as reason:
        pytest.skip(str(reason))
    finally:
        kills.up_again(etl)


def run_all(etl: Etl, **conf: object) -> dict[str, str]:
    etl.sandbox("DELETE", "/_admin/calls")
    return {dag_id: etl.trigger(dag_id, batch_size=BATCH, **conf) for dag_id in LEAGUES}


def test_two_workers_share_budget_and_plan(etl: Etl, workers: Workers) -> None:
    for dag_id, run in run_all(etl, force=True).items():
        kills.must_succeed(etl, dag_id, run)
        kills.must_have_done(etl, dag_id, run, SEASONS * SEASON_FIXTURES)
    calls = etl.sandbox("GET", "/_admin/calls?last=0&fixtures=1")
    assert calls["fixtures_requested"] == len(LEAGUES) * SEASONS * SEASON_FIXTURES
    assert calls["fixtures_requested_again"] == 0
    assert (calls["total_429"], calls["calls_after_remaining_zero"]) == (0, 0)
    assert kills.differences(etl, *LEAGUES.values()) == []


def test_a_lost_worker_costs_the_batches_that_were_under_way(etl: Etl, workers: Workers) -> None:
    runs = run_all(etl, force=True)
    wait_for(lambda: len(workers.tasks("two")) == 2 and sum(kills.reads(etl).values()) > 10 * BATCH, "work for both")
    under_way = len(workers.tasks("two"))
    workers.kill("two")
    for dag_id, run in runs.items():
        kills.must_succeed(etl, dag_id, run)
        kills.must_have_done(etl, dag_id, run, SEASONS * SEASON_FIXTURES)
    calls = etl.sandbox("GET", "/_admin/calls?last=0&fixtures=1")
    assert calls["fixtures_requested_distinct"] == len(LEAGUES) * SEASONS * SEASON_FIXTURES
    assert calls["fixtures_requested_again"] <= under_way * BATCH
    assert (calls["total_429"], calls["calls_after_remaining_zero"]) == (0, 0)
    assert kills.differences(etl, *LEAGUES.values()) == []
