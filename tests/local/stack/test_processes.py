"""Processes are found again and stopped with all they have forked; other processes are left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.stack import processes
from local.stack.files import read_json, write_json
from local.stack.processes import ProcessTable, start_mark

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
inner = "import os,signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", inner])
subprocess.Popen([sys.executable, "-c", inner], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def living(pid: int) -> bool:
    """A zombie that has not been waited for does not count."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def start(table: ProcessTable, name: str, program: str) -> int:
    pid = table.spawn(name, [sys.executable, "-c", program], dict(os.environ), cwd=table.home)
    wait_for(lambda: "ready" in table.last_lines(name))
    return pid


@pytest.fixture
def table(tmp_path: Path) -> ProcessTable:
    return ProcessTable(tmp_path)


def test_it_is_found_again_by_another_command(table: ProcessTable) -> None:
    pid = start(table, "a", "import time; print('ready', flush=True); time.sleep(600)")
    again = ProcessTable(table.home)
    assert again.running("a")
    assert again.pid("a") == pid
    assert table.stop(["a"]) == ["a"]
    assert not again.running("a")
    assert not living(pid)


def test_nothing_it_forked_is_left(table: ProcessTable) -> None:
    pid = start(table, "a", STUBBORN)
    family = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    assert len(family) == 3
    assert table.stop(["a"], timeout=0.5) == ["a"]
    assert not [member for member in family if living(member)]


def test_orphans_of_a_killed_leader_are_ended_too(table: ProcessTable) -> None:
    program = "import subprocess, time; subprocess.Popen(['sleep', '600']);print('ready', flush=True); time.sleep(600)"
    pid = start(table, "a", program)
    child = psutil.Process(pid).children()[0].pid
    os.kill(pid, 9)
    wait_for(lambda: not table.running("a"))
    assert living(child)
    table.stop(["a"])
    assert not living(child)


def test_another_process_with_the_same_id_is_left_alone(table: ProcessTable) -> None:
    """A record of an earlier boot or process whose id belongs to another process now, a leader of a session."""
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        record = {"pid": stranger.pid, "mark": "1@an-earlier-boot", "log_offset": 0}
        write_json(table.home / "processes.json", {"scheduler": record})
        assert not table.running("scheduler")
        assert table.stop(["scheduler"]) == []
        assert stranger.poll() is None
        assert read_json(table.home / "processes.json") == {}
    finally:
        stranger.kill()
        stranger.wait()


def test_only_the_named_ones_are_ended(table: ProcessTable) -> None:
    program = "import time; print('ready', flush=True); time.sleep(600)"
    start(table, "a", program)
    start(table, "b", program)
    try:
        table.stop(["a", "nobody"])
        assert table.running("b")
        assert table.names() == ["b"]
    finally:
        table.stop(["b"])


def test_last_lines_are_those_of_the_last_start(table: ProcessTable) -> None:
    for word in ("first", "second"):
        table.spawn("a", [sys.executable, "-c", f"print('{word}')"], dict(os.environ), cwd=table.home)
        wait_for(lambda: not table.running("a"))
    assert table.last_lines("a") == "second"
    assert table.exit_code("a") == 0


def test_what_a_process_writes_at_once_is_among_its_lines(table: ProcessTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a busy machine, where the process has ended before its starter goes on."""
    popen = processes._Detached

    def slow(*args: Any, **kwargs: Any) -> Any:
        child = popen(*args, **kwargs)
        child.wait()
        return child

    monkeypatch.setattr(processes, "_Detached", slow)
    table.spawn("a", [sys.executable, "-c", "print('why it ended')"], dict(os.environ), cwd=table.home)
    assert table.last_lines("a") == "why it ended"


def test_marks_tell_processes_apart() -> None:
    assert start_mark(os.getpid()) == start_mark(os.getpid())
    assert start_mark(os.getpid()) != start_mark(1)
    assert start_mark(2**22 + 1) is None
