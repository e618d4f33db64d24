"""Pods of one namespace as processes of this machine.

Each has a session, an environment and an empty folder of its own, so that pods share only what an image would hold and
what they reach over the network. No nodes, no waiting for a place, no limits of resources.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

NAMESPACE = "sportmonks"
Object = dict[str, Any]


class Pods:
    """``folder``: where the folders of pods are. ``image``: the environment of the image. ``secrets``: the values of
    each Secret by its keys."""

    def __init__(self, folder: Path, image: Mapping[str, str], secrets: Mapping[str, Mapping[str, str]]) -> None:
        self.folder, self.image, self.secrets = folder, dict(image), secrets
        self.pods: dict[str, Object] = {}
        self.events: list[Object] = []  # the version of an event is its place, from 1 on
        self.usage: dict[str, resource.struct_rusage] = {}  # of each pod that has ended
        self.changed = threading.Condition(threading.RLock())
        self._tasks: dict[str, str] = {}
        self._leaders: dict[str, int] = {}  # process ids, of pods that have not ended

    def running(self) -> list[str]:
        with self.changed:
            return list(self._leaders)

    def task(self, name: str) -> str:
        """The id of the task that the pod runs, behind that of its DAG."""
        return self._tasks[name]

    def output(self, name: str) -> str:
        return (self.folder / name / "output").read_text(encoding="utf-8", errors="replace")

    def kill(self, name: str) -> None:
        """As its node is lost: SIGKILL to all of its processes."""
        with self.changed:
            leader = self._leaders.get(name)
        if leader is not None:
            kill_session(leader)

    def create(self, pod: Object) -> Object:
        name = pod["metadata"]["name"]
        container = pod["spec"]["containers"][0]
        home = self.folder / name
        home.mkdir()
        env = self.image | {"HOME": str(home), "AIRFLOW_HOME": str(home)} | self._environment(container)
        with self.changed:
            pod |= {"kind": "Pod", "apiVersion": "v1", "status": {"phase": "Pending"}}
            pod["metadata"] |= {"uid": name, "creationTimestamp": _now(), "namespace": NAMESPACE}
            notes = pod["metadata"].get("annotations") or {}
            self._tasks[name] = f"{notes.get('dag_id')}.{notes.get('task_id')}"
            self.pods[name] = pod
            self._event("ADDED", pod)
            with (home / "output").open("wb") as output:
                command = [*(container.get("command") or []), *container["args"]]
                process = subprocess.Popen(
                    command, cwd=home, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
                )
            self._leaders[name] = process.pid
            self._phase(pod, "Running")
        threading.Thread(target=self._follow, args=(name, pod, process), daemon=True).start()
        return pod

    def patch(self, name: str, body: Object) -> Object | None:
        with self.changed:
            if pod := self.pods.get(name):
                for key, value in body["metadata"].items():
                    pod["metadata"][key] = {**(pod["metadata"].get(key) or {}), **value}
                self._event("MODIFIED", pod)
            return pod

    def delete(self, name: str, grace: float | None = None) -> Object | None:
        """SIGTERM to the first process and its group, as an init process that passes signals on does it; after
        ``grace`` seconds (default: those of the pod) SIGKILL. The pod is there until its processes have ended, but
        with 0 it is gone at once."""
        with self.changed:
            if (pod := self.pods.get(name)) is None:
                return None
            pod["metadata"]["deletionTimestamp"] = _now()
            leader = self._leaders.get(name)
            if grace == 0 or leader is None:
                self._gone(name, pod)
            else:
                self._event("MODIFIED", pod)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(leader, signal.SIGTERM)
            if leader is not None:
                seconds = pod["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
                timer = threading.Timer(seconds, self.kill, (name,))
                timer.daemon = True
                timer.start()
            return pod

    def close(self) -> None:
        for name in self.running():
            self.kill(name)

    def _environment(self, container: Object) -> dict[str, str]:
        found = {}
        for entry in container.get("env") or []:
            reference = (entry.get("valueFrom") or {}).get("secretKeyRef")
            found[entry["name"]] = self.secrets[reference["name"]][reference["key"]] if reference else entry["value"]
        return found

    def _follow(self, name: str, pod: Object, process: subprocess.Popen[bytes]) -> None:
        # The leader stays a zombie until the others of its session have ended: no other process can have its number.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        self.kill(name)
        _, status, used = os.wait4(process.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        process.returncode = code
        with self.changed:
            del self._leaders[name]
            self.usage[name] = used
            if name in self.pods:
                self._phase(pod, "Failed" if code else "Succeeded", 128 - code if code < 0 else code)
                if "deletionTimestamp" in pod["metadata"]:
                    self._gone(name, pod)

    def _gone(self, name: str, pod: Object) -> None:
        del self.pods[name]
        self._event("DELETED", pod)

    def _phase(self, pod: Object, phase: str, code: int | None = None) -> None:
        ended = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}
        state = {"running": {"startedAt": _now()}} if code is None else ended
        status = {"name": "base", "ready": code is None, "restartCount": 0, "state": state, "image": "", "imageID": ""}
        pod["status"] = {"phase": phase, "containerStatuses": [status]}
        self._event("MODIFIED", pod)

    def _event(self, kind: str, pod: Object) -> None:
        pod["metadata"]["resourceVersion"] = str(len(self.events) + 1)
        self.events.append({"type": kind, "object": json.loads(json.dumps(pod))})
        self.changed.notify_all()


def kill_session(leader: int) -> None:
    """SIGKILL to every process of the session, those whose parents have ended among them."""
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(process.pid) == leader:
                process.kill()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
