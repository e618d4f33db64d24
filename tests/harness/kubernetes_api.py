"""A small server that plays the Kubernetes API for Airflow's KubernetesExecutor, over the pods of tests.harness.pods.

It lists and watches pods by label and phase, creates, patches and deletes them, and returns their output.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.harness.pods import Object, Pods

# What clients read before anything else: which groups and resources there are.
DISCOVERY: Mapping[str, Object] = {
    "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]},
        ],
    },
}


class KubernetesApi(ThreadingHTTPServer):
    """Serves ``pods`` on a free port of this machine. ``refuse``: so many of the next pods are not created, as when the
    API is overloaded."""

    def __init__(self, pods: Pods) -> None:
        self.pods = pods
        self.refuse = 0
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: KubernetesApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Nothing: what matters is in the log of the scheduler."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        name, *rest = self._words()
        pods = self.server.pods
        if name == "" and parts.path in DISCOVERY:
            self._send(DISCOVERY[parts.path])
        elif rest == ["log"] and (pods.folder / name).is_dir():
            self._send(pods.output(name))
        elif name or not parts.path.endswith("/pods"):
            self._found(pods.pods.get(name))
        elif query.get("watch", "").lower() in ("true", "1"):
            self._watch(query)
        else:
            with pods.changed:
                items = [pod for pod in pods.pods.values() if matches(pod, query)]
                version = {"resourceVersion": str(len(pods.events))}
                self._send({"kind": "PodList", "apiVersion": "v1", "metadata": version, "items": items})

    def do_POST(self) -> None:
        body = self._body()
        if self.server.refuse > 0:
            self.server.refuse -= 1
            self._send({"kind": "Status", "status": "Failure", "message": "overloaded", "code": 503}, 503)
        else:
            self._send(self.server.pods.create(body), 201)

    def do_PATCH(self) -> None:
        self._found(self.server.pods.patch(self._words()[0], self._body()))

    def do_DELETE(self) -> None:
        self._found(self.server.pods.delete(self._words()[0], self._body().get("gracePeriodSeconds")))

    def _words(self) -> list[str]:
        """What stands behind …/pods in the path."""
        return urlsplit(self.path).path.partition("/pods")[2].strip("/").split("/")

    def _body(self) -> Object:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return dict(json.loads(text)) if text else {}

    def _send(self, body: Any, status: int = 200) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _found(self, pod: Object | None) -> None:
        missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
        self._send(pod or missing, 200 if pod else 404)

    def _watch(self, query: dict[str, str]) -> None:
        """Events from a version on; from 0 on, what there is now comes first."""
        pods = self.server.pods
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")  # otherwise clients wait for the end of the answer
        self.end_headers()
        end = time.monotonic() + float(query.get("timeoutSeconds") or 3600)
        with pods.changed:
            place = int(query.get("resourceVersion") or 0) or len(pods.events)
            there = [] if int(query.get("resourceVersion") or 0) else list(pods.pods.values())
            news = [{"type": "ADDED", "object": json.loads(json.dumps(pod))} for pod in there]
        shown: set[str] = set()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() < end:
                for event in news:
                    name = event["object"]["metadata"]["name"]
                    if matches(event["object"], query):
                        shown.add(name)
                    elif name in shown:
                        # A pod that the labels do not fit any longer has gone for this client.
                        shown.remove(name)
                        event = {**event, "type": "DELETED"}
                    else:
                        continue
                    line = json.dumps(event).encode() + b"\n"
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                with pods.changed:
                    pods.changed.wait_for(lambda place=place: len(pods.events) > place, 1)  # type: ignore[misc]
                    news, place = pods.events[place:], len(pods.events)
            self.wfile.write(b"0\r\n\r\n")


def matches(pod: Object, query: Mapping[str, str]) -> bool:
    """Whether the selectors of labels and fields fit: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`."""
    labels = pod["metadata"].get("labels") or {}
    fields = {"status.phase": pod["status"]["phase"], "metadata.name": pod["metadata"]["name"]}
    for values, text in ((labels, query.get("labelSelector", "")), (fields, query.get("fieldSelector", ""))):
        for part in re.findall(r"[^,(]+(?:\([^)]*\))?", text):
            found = re.fullmatch(r"\s*(!?)([^\s=!]+)\s*(?:(!?=)=?|(in|notin)\s)?\s*\(?([^)]*)\)?", part)
            assert found, f"unknown selector {part!r}"
            absent, key, sign, word, wanted = found.groups()
            if sign or word:
                fits = values.get(key) in [each.strip() for each in wanted.split(",")]
                wants = sign == "=" or word == "in"
            else:
                fits, wants = key in values, not absent
            if fits is not wants:
                return False
    return True
