"""The server that plays Kubernetes in benchmarks/pods.py ends pods as Kubernetes does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.harness.kubernetes_api import KubernetesApi, matches
from tests.harness.pods import Pods

POD: dict[str, Any] = {"metadata": {"name": "a", "labels": {"who": "3", "done": ""}}, "status": {"phase": "Failed"}}


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("", True),
        ("who=3", True),
        ("who==3,done=", True),
        ("who=4", False),
        ("who!=4,other!=x", True),
        ("who!=3", False),
        ("who in (2,3),done", True),
        ("who notin (2, 3)", False),
        ("who notin (1,2),other notin (x)", True),
        ("other", False),
        ("!other,who", True),
        ("!who", False),
    ],
)
def test_selectors_of_labels(selector: str, fits: bool) -> None:
    assert matches(POD, {"labelSelector": selector}) is fits
    assert not matches(POD, {"labelSelector": selector, "fieldSelector": "status.phase=Succeeded"})


@pytest.fixture
def api(tmp_path: Path) -> Iterator[KubernetesApi]:
    server = KubernetesApi(Pods(tmp_path, {"PATH": "/usr/bin:/bin"}, {"secret": {"key": "value"}}))
    yield server
    server.pods.close()
    server.shutdown()
    server.server_close()


def pods_url(api: KubernetesApi, name: str = "") -> str:
    return f"{api.url}/api/v1/namespaces/sportmonks/pods{name and '/'}{name}"


def create(api: KubernetesApi, name: str, script: str, label: str = "3") -> None:
    reference = {"valueFrom": {"secretKeyRef": {"name": "secret", "key": "key"}}}
    container = {"name": "base", "args": ["sh", "-c", script], "env": [{"name": "FROM_SECRET", **reference}]}
    body = {"metadata": {"name": name, "labels": {"who": label}}, "spec": {"containers": [container]}}
    assert requests.post(pods_url(api), json=body, timeout=10).status_code == 201


def watched(api: KubernetesApi, until: tuple[str, str], **query: str) -> list[tuple[str, str, str]]:
    """(kind, pod, phase) of the events of a watch, up to the event ``until`` (kind, pod)."""
    found = []
    with requests.get(pods_url(api), params={"watch": "true", **query}, stream=True, timeout=10) as answer:
        for line in answer.iter_lines(chunk_size=1):
            event = json.loads(line)
            pod = event["object"]
            found.append((event["type"], pod["metadata"]["name"], pod["status"]["phase"]))
            if found[-1][:2] == until:
                return found
    raise AssertionError(found)


def test_a_pod_has_the_environment_of_its_container_and_ends_with_it(api: KubernetesApi, tmp_path: Path) -> None:
    create(api, "one", 'sleep 60 & echo "$FROM_SECRET"; pwd; exit 3')
    events = watched(api, ("MODIFIED", "one"), resourceVersion="2")
    assert events == [("MODIFIED", "one", "Failed")]
    assert requests.get(pods_url(api, "one/log"), timeout=10).content.decode() == f"value\n{tmp_path / 'one'}\n"
    status = requests.get(pods_url(api, "one"), timeout=10).json()["status"]["containerStatuses"][0]["state"]
    assert status == {"terminated": {"exitCode": 3, "reason": "Error"}}
    assert api.pods.running() == []


@pytest.mark.parametrize(
    ("script", "grace", "phases"),
    [
        ("trap 'exit 0' TERM; echo up; sleep 60 & wait", None, ["Running", "Succeeded", "Succeeded"]),
        ("trap '' TERM; echo up; sleep 60", 1, ["Running", "Failed", "Failed"]),
        ("trap '' TERM; echo up; sleep 60", 0, ["Running"]),
    ],
    ids=["ends by itself", "ignores the signal", "by force"],
)
def test_a_pod_that_is_deleted(api: KubernetesApi, script: str, grace: int | None, phases: list[str]) -> None:
    create(api, "one", script)
    deadline = time.monotonic() + 10
    while "up" not in api.pods.output("one") and time.monotonic() < deadline:
        time.sleep(0.02)
    version = str(len(api.pods.events))
    body = {} if grace is None else {"gracePeriodSeconds": grace}
    assert requests.delete(pods_url(api, "one"), json=body, timeout=10).status_code == 200
    events = watched(api, ("DELETED", "one"), resourceVersion=version)
    assert [phase for _, _, phase in events] == phases
    assert requests.get(pods_url(api, "one"), timeout=10).status_code == 404
    assert requests.delete(pods_url(api, "one"), timeout=10).status_code == 404


def test_a_watch_shows_what_its_labels_fit(api: KubernetesApi) -> None:
    create(api, "other", "sleep 60", label="4")
    create(api, "one", "sleep 60")
    threading.Timer(0.2, lambda: api.pods.patch("one", {"metadata": {"labels": {"done": "True"}}})).start()
    # What is there first, then changes; a pod that the labels do not fit any longer has gone for this client.
    assert watched(api, ("DELETED", "one"), labelSelector="who=3,done!=True", resourceVersion="0") == [
        ("ADDED", "one", "Running"),
        ("DELETED", "one", "Running"),
    ]
    listed = requests.get(pods_url(api), params={"labelSelector": "done=True"}, timeout=10).json()["items"]
    assert [pod["metadata"]["name"] for pod in listed] == ["one"]
    version = str(len(api.pods.events))
    api.pods.kill("one")
    assert watched(api, ("MODIFIED", "one"), resourceVersion=version) == [("MODIFIED", "one", "Failed")]


def test_an_overloaded_api_creates_nothing(api: KubernetesApi) -> None:
    api.refuse = 1
    assert requests.post(pods_url(api), json={}, timeout=10).status_code == 503
    create(api, "one", "true")
