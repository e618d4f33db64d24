"""Starts processes that outlive the command, each in its own session, and stops them with all they have forked.

A process is identified by its id *and* its start mark, so that an id which the system has given to another process
since is never signalled. What a process forks stays in its session, even if the leader of the session was killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from local.stack.files import read_json, write_json


def start_mark(pid: int) -> str | None:
    """What distinguishes this process from others that have or had the same id; None when there is none."""
    try:
        if Path("/proc/self/stat").exists():
            # Field 22, counted behind the bracketed name, which may hold blanks.
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
            return f"{text.rpartition(')')[2].split()[19]}@{boot}"
        return f"{psutil.Process(pid).create_time():.2f}"
    except (OSError, IndexError, psutil.Error):
        return None


def _living(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


@dataclass(frozen=True)
class _Member:
    mark: str | None
    depth: int


class _Detached(subprocess.Popen[bytes]):
    """A process that is meant to outlive its starter, which is nothing to warn about."""

    def __del__(self, *_: object) -> None:
        self.poll()


class ProcessTable:
    """The processes of one state folder, kept in `<home>/processes.json`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.logs = home / "logs"
        self._file = home / "processes.json"
        self._children: dict[str, _Detached] = {}
        self._seen: dict[int, _Member] = {}

    def spawn(self, name: str, command: list[str], env: Mapping[str, str], *, cwd: Path) -> int:
        """Start `command`, its output in `<home>/logs/<name>.log`; the pid returned is its session too."""
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = self.log_file(name)
        if log.exists() and log.stat().st_size > 20_000_000:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            output.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} {name} starts\n".encode())
            output.flush()
            # Before the start: a process may have written, and ended, by the time that this one goes on.
            offset = log.stat().st_size
            child = _Detached(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._children[name] = child  # so that it is reaped when it ends while this command still runs
        self._update(name, {"pid": child.pid, "mark": start_mark(child.pid), "log_offset": offset})
        return child.pid

    def log_file(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def names(self) -> list[str]:
        return list(read_json(self._file))

    def running(self, name: str) -> bool:
        """Whether the process started under that name lives (not merely its number)."""
        self._reap()
        record = read_json(self._file).get(name)
        if not record:
            return False
        return start_mark(record["pid"]) == record["mark"] and _living(record["pid"])

    def exit_code(self, name: str) -> int | None:
        """Exit code of a process that this object has started; None while it runs."""
        child = self._children.get(name)
        return child.poll() if child else None

    def pid(self, name: str) -> int | None:
        record = read_json(self._file).get(name)
        return int(record["pid"]) if record else None

    def last_lines(self, name: str, count: int = 12) -> str:
        """The last lines of what the process has written since its start."""
        record = read_json(self._file).get(name) or {}
        with contextlib.suppress(OSError), self.log_file(name).open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(int(record.get("log_offset", 0)), log.tell() - 20_000))
            lines = log.read().decode(errors="replace").splitlines()
            return "\n".join([line for line in lines if line.strip()][-count:])
        return ""

    def stop(self, names: Iterable[str], *, timeout: float = 5.0) -> list[str]:
        """End these processes and all in their sessions; returns the names that had anything left to end.

        SIGTERM to every member; after `timeout` seconds SIGKILL to the processes below a child of the leader (tasks),
        so that their supervisors can still report what happened; then SIGKILL to all.
        """
        names = list(names)
        records = {name: record for name, record in read_json(self._file).items() if name in names}
        stopped = [name for name, record in records.items() if _session(record)]
        if stopped:
            self._signal(records, signal.SIGTERM)
            if not self._gone(records, timeout):
                self._signal(records, signal.SIGKILL, depth=2)
                if not self._gone(records, 2.5):
                    self._signal(records, signal.SIGKILL)
                    self._gone(records, 5.0)
        # On a full disk the entry stays, which does no harm: its mark belongs to no living process.
        with contextlib.suppress(OSError):
            for name in records:
                self._update(name, None)
        return stopped

    def _signal(self, records: Mapping[str, Any], number: signal.Signals, *, depth: int = 0) -> None:
        for pid, member in self._members(records.values()).items():
            if member.depth >= depth and start_mark(pid) == member.mark:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)

    def _gone(self, records: Mapping[str, Any], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            self._reap()
            # Read again each time: a scheduler may fork while it ends.
            if not self._members(records.values()):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)

    def _members(self, records: Iterable[dict[str, Any]]) -> dict[int, _Member]:
        """Living members of the sessions, and descendants that left them for sessions of their own."""
        for record in records:
            leader = int(record["pid"])
            for pid in _session(record):
                with contextlib.suppress(psutil.Error):
                    self._seen[pid] = _Member(start_mark(pid), _depth(pid, leader))
                    for child in psutil.Process(pid).children(recursive=True):
                        if child.pid not in self._seen:
                            self._seen[child.pid] = _Member(start_mark(child.pid), _depth(child.pid, leader))
        # A process that was seen counts until it has ended, even if its parent ends before it.
        self._seen = {
            pid: member
            for pid, member in self._seen.items()
            if member.mark is not None and start_mark(pid) == member.mark and _living(pid)
        }
        return self._seen

    def _update(self, name: str, record: dict[str, Any] | None) -> None:
        records = read_json(self._file)
        if record is None:
            records.pop(name, None)
        else:
            records[name] = record
        write_json(self._file, records)

    def _reap(self) -> None:
        for child in self._children.values():
            child.poll()


def _session(record: dict[str, Any]) -> list[int]:
    """Living members of the session that `record` began.

    While a session has members the system gives its number to nobody else; so if the number now belongs to a
    process with another mark, the session is over and that process is not part of it.
    """
    leader, mark = int(record["pid"]), start_mark(int(record["pid"]))
    if mark is not None and mark != record["mark"]:
        return []
    members = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getsid(pid) == leader and _living(pid):
                members.append(pid)
    return members


def _depth(pid: int, leader: int) -> int:
    """Generations between a process and the leader of its session; 0 when its line is broken off."""
    for depth in range(20):
        if pid == leader:
            return depth
        try:
            pid = psutil.Process(pid).ppid()
        except psutil.Error:
            return 0
    return 0
