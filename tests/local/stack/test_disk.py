"""A full disk: refused before a start, and named as the reason of what fails later. Bounds are moved, not the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local.cli import main as command_line
from local.cli.follow import FollowedRun, Follower
from local.stack import checks, disk
from local.stack.airflow_api import SilentError
from local.stack.processes import ProcessTable
from local.stack.settings import Settings
from local.stack.stack import Stack


def settings(folder: Path) -> Settings:
    return Settings.load({"ETL_HOME": str(folder)}, None)


def test_free_space_is_that_of_the_nearest_folder(tmp_path: Path) -> None:
    there = os.statvfs(tmp_path)
    assert abs(disk.free_mb(tmp_path / "not" / "yet") - there.f_bavail * there.f_frsize // 2**20) < 1000


def test_a_start_needs_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.check_disk(settings(tmp_path)) is None
    monkeypatch.setattr(checks, "START_MB", 10**9)
    problem = checks.check_disk(settings(tmp_path))
    assert problem
    assert problem[0].startswith(f"ETL_HOME={tmp_path}: the disk has ")
    assert problem[0].endswith(f"MB left, and a start needs {10**9}")
    # What runs already is not refused.
    checks.check_all(settings(tmp_path), port_is_ours=True)


def test_a_full_disk_is_the_hint_of_whatever_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ETL_HOME", str(tmp_path))
    assert command_line.main(["psql", "--", "-c", "SELECT 1"]) == 1
    assert "is full" not in capsys.readouterr().err
    monkeypatch.setattr(disk, "FULL_MB", 10**9)
    assert command_line.main(["psql", "--", "-c", "SELECT 1"]) == 1
    written = capsys.readouterr().err.replace("\n", " ")
    assert written.count("error:") == 1
    assert f"the disk of {tmp_path} is full" in written
    assert "make space, then run ./etl up" in written


def test_an_airflow_that_is_silent_on_a_full_disk_is_not_waited_for(tmp_path: Path) -> None:
    class Silent:
        def runs(self, dag_ids: object, since: str) -> object:
            raise SilentError("no answer")

    run = FollowedRun("League", "d", "r", "x", "2026-08-15T12:00:00Z")
    follower = Follower(Silent(), "postgresql://127.0.0.1:1/x", full_disk=lambda: "it is full")  # type: ignore[arg-type]
    with pytest.raises(SilentError):
        follower.follow([run])


def test_everything_can_be_stopped_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = ProcessTable(tmp_path)
    processes.spawn("sleeper", ["sleep", "600"], {"PATH": os.environ["PATH"]}, cwd=tmp_path)

    def no_space(path: Path, value: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("local.stack.processes.write_json", no_space)
    assert processes.stop(["sleeper"]) == ["sleeper"]
    monkeypatch.undo()
    assert not processes.running("sleeper")
    assert processes.stop(["sleeper"]) == []


def test_both_disks_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(disk, "free_mb", lambda path: looked.append(path) or 10**6)
    stack = Stack(settings(tmp_path))
    assert stack.full_disk() == ""
    (tmp_path / "postgres.json").write_text('{"data": "/var/lib/elsewhere/data"}')
    assert stack.full_disk() == ""
    assert looked == [tmp_path, tmp_path, Path("/var/lib/elsewhere/data")]
