"""The real installation script, with an interpreter that only takes its time."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.harness.paths import REPO

SCRIPT = REPO / "local" / "stack" / "install.sh"
PYTHON = """#!/bin/sh
case "$*" in
  *"-m pip install"*) sleep "${TAKES:-0}"; exit "${ENDS:-0}" ;;
  *"-m venv"*) for folder; do :; done; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python" ;;
esac
exit 0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with requirements and an environment of one package."""
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(python)
    (tmp_path / ".venv" / "lib" / "python3" / "site-packages" / "one.dist-info").mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("one==1\ntwo==2\n")
    return tmp_path


def start(folder: Path, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["sh", str(SCRIPT), "requirements.txt"],
        env={"PATH": os.environ["PATH"], "PYTHON": str(folder / "python"), "PROGRESS_SECONDS": "1", **env},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def install(folder: Path, **env: str) -> tuple[int, str, str]:
    with start(folder, **env) as process:
        output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def test_it_is_not_silent(folder: Path) -> None:
    code, output, errors = install(folder, TAKES="3")
    assert code == 0, errors
    assert "installing requirements.txt: 2 packages" in output
    assert "still installing: 1 s, 1 of about 2 packages are in place" in output


def test_two_at_once_wait_for_each_other(folder: Path) -> None:
    with start(folder, TAKES="3") as first:
        assert first.stdout
        first.stdout.readline()  # it has the lock
        code, output, errors = install(folder)
        assert code == 0, errors
        assert output.count(f"another installation is under way here (process {first.pid})") == 1
        first.communicate(timeout=60)
    assert first.returncode == 0
    assert not (folder / ".venv.lock").exists()


def test_the_lock_of_a_killed_installation_counts_as_none(folder: Path) -> None:
    (folder / ".venv.lock").mkdir()
    gone = subprocess.Popen(["true"])
    gone.wait()
    (folder / ".venv.lock" / "pid").write_text(str(gone.pid))
    code, output, errors = install(folder)
    assert code == 0, errors
    assert "under way" not in output


def test_an_environment_that_was_left_half_made_is_begun_anew(folder: Path) -> None:
    """As after Ctrl-C in its first second: an interpreter is there, and no pip."""
    (folder / ".venv" / "bin" / "python").unlink()
    (folder / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    (folder / ".venv" / "bin" / "python").chmod(0o755)
    code, output, errors = install(folder)
    assert code == 0, errors
    assert "making .venv" in output
    assert not (folder / ".venv" / "lib").exists()


def test_a_failure_ends_with_a_hint(folder: Path) -> None:
    code, _, errors = install(folder, ENDS="1")
    assert code == 1
    assert "error: requirements.txt could not be installed" in errors
    assert "hint:  " in errors
    assert not (folder / ".venv.lock").exists()


def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    # A file in the place of the lock refuses also root, for whom every folder can be written.
    (folder / ".venv.lock").write_text("")
    code, _, errors = install(folder)
    assert code == 1
    assert f"error: nothing can be written into {folder}" in errors
