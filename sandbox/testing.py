"""A running sandbox for tests: `with running_sandbox(leagues=1, seasons=1) as box: ...box.base_url...`."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
USER_AGENT = "sandbox-testing/1.0"


@dataclass
class RunningSandbox:
    """`base_url` ends in /v3; `admin` calls /_admin; `get` is a plain client for the tests of the sandbox."""

    base_url: str
    key: str
    process: subprocess.Popen[str]

    @property
    def root_url(self) -> str:
        return self.base_url.removesuffix("/v3")

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower case) and body of one request to a path of this server."""
        address = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers={"User-Agent": USER_AGENT, **(headers or {})})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an admin call (`path` like "/truth" or "/_admin/truth"); RuntimeError on a refusal."""
        full = path if path.startswith("/_admin") else f"/_admin/{path.lstrip('/')}"
        status, _, raw = self.request(method, full, body=None if body is None else json.dumps(body).encode())
        answer = json.loads(raw) if raw else None
        if status >= 400:
            raise RuntimeError(f"{method} {full} returned {status}: {answer}")
        return answer

    def get(self, path: str, *, key: str | None = None, timeout: float = 60) -> tuple[int, dict[str, str], Any]:
        """GET below /v3 with the key in the header; the body decoded when it is JSON, else as bytes."""
        headers = {"Authorization": self.key if key is None else key}
        status, out, raw = self.request("GET", f"/v3/{path.lstrip('/')}", headers=headers, timeout=timeout)
        return status, out, json.loads(raw) if out.get("content-type", "").startswith("application/json") else raw

    def fault(self, kind: str, **spec: Any) -> int:
        """Post a fault; returns its id."""
        return int(self.admin("POST", "/faults", {"kind": kind, **spec})["id"])

    def calls(self) -> dict[str, Any]:
        """Counters of the requests since the start or the last reset."""
        found: dict[str, Any] = self.admin("GET", "/calls")
        return found

    def reset(self) -> None:
        """Back to the start: no corrections, faults or calls; clock, limits, plan and variants as given."""
        self.admin("POST", "/reset")

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.admin("POST", "/clock", {"advance_seconds": seconds})


def flags(options: Mapping[str, Any]) -> list[str]:
    """Command-line flags from keyword options: limit=60 -> --limit 60, frozen=True -> --frozen, lists repeat."""
    words: list[str] = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            words.append(flag)
        elif isinstance(value, (list, tuple)):
            words += [word for item in value for word in (flag, str(item))]
        elif value is not None and value is not False:
            words += [flag, str(value)]
    return words


@contextlib.contextmanager
def running_sandbox(**options: Any) -> Iterator[RunningSandbox]:
    """A sandbox in a process of its own on a free port; options as of the command line, e.g. `limit=60, window=20`."""
    if options.get("access_log"):
        raise ValueError("access_log would fill the pipe that nobody reads: start the sandbox by hand for it")
    key = str(options.pop("key", "demo-key"))
    command = [sys.executable, "-m", "sandbox", *flags({"port": 0, **options})]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "SANDBOX_KEY": key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        if "http://" not in line:
            process.kill()
            raise RuntimeError(f"the sandbox did not start: {process.stderr.read().strip() or line!r}")
        url = next(word for word in line.split() if word.startswith("http://"))
        yield RunningSandbox(url, key, process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
