"""What `make compose-check` does on a machine without an engine; the rest of it is the check itself."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.compose import engine, upgrade
from tests.deploy.compose import stack as compose
from tests.harness.paths import REPO

RELEASE = '"compose version --short") echo v2.26.1; exit 0;;'


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": str(path), "PYTHONPATH": f"{REPO / 'plugins'}:{REPO}", "HOME": os.environ["HOME"]}
    words = [sys.executable, "-m", "tests.deploy.compose", *arguments]
    return subprocess.run(words, cwd=REPO, env=env, capture_output=True, text=True, check=False)


def client(folder: Path, body: str) -> None:
    """A command `docker` whose answers are those of ``body``."""
    script = folder / "docker"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)


def test_without_docker_it_says_so_and_is_no_failure(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "not done  everything: neither `docker compose` nor docker-compose is installed\n"


def test_a_compose_that_is_too_old_is_named(tmp_path: Path) -> None:
    client(tmp_path, 'case "$*" in "compose version --short") echo 2.17.3; exit 0;; esac; exit 1')
    done = run(tmp_path)
    assert done.stdout == "not done  everything: docker compose is 2.17.3, and the file needs 2.23.1\n"


def test_without_an_engine_the_config_is_checked(tmp_path: Path) -> None:
    client(
        tmp_path,
        f'case "$*" in {RELEASE} *config*) exit 0;; esac; echo "no daemon" >&2; exit 1',
    )
    done = run(tmp_path)
    assert done.returncode == 0
    assert "ok        the file is valid with every profile" in done.stdout
    assert "not done  up, a league, the page, down, up, kills: no engine answers `docker info`" in done.stdout


def test_an_invalid_file_is_a_failure(tmp_path: Path) -> None:
    client(
        tmp_path,
        f'case "$*" in {RELEASE} esac; echo "services.x is wrong" >&2; exit 15',
    )
    done = run(tmp_path)
    assert done.returncode == 1
    assert "failed    the file is valid with every profile: services.x is wrong" in done.stdout


def test_base_images_are_those_that_somebody_else_builds() -> None:
    found = engine.base_images()
    assert len(found) == 3
    assert [image.split(":")[0] for image in found] == ["apache/airflow", "postgres", "redis"]


def test_the_check_starts_with_nothing_but_a_clone_and_a_dotenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose.ComposeStack, "write_override", lambda _: None)
    stack = compose.ComposeStack(tmp_path, 1234)
    stack.prepare()
    tracked = subprocess.run(["git", "ls-files", "-o"], cwd=stack.clone, capture_output=True, text=True, check=True)
    assert tracked.stdout.split() == [".env"]
    assert (stack.clone / "dags").stat().st_mode & 0o077 == 0
    assert stack.setting("SPORTMONKS_API_KEY") == compose.SANDBOX_KEY.replace("$", "$$")
    assert stack.setting("POSTGRES_PASSWORD")


def test_an_upgrade_begins_at_the_named_commit_with_a_sandbox_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client(
        tmp_path,
        'case "$*" in *"network inspect"*) echo 127.0.0.1;; *"config --services") echo postgres sandbox worker;; esac',
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "check").mkdir()
    stack = upgrade.UpgradedStack(tmp_path / "check", 1234)
    stack.old, stack.celery, stack.version = "HEAD~1", True, "1"
    try:
        stack.prepare()
        commits = [stack.git("rev-parse", name, cwd=REPO) for name in ("HEAD~1", "HEAD")]
        assert stack.git("rev-parse", "HEAD") == commits[0]
        assert (stack.clone / "dags").stat().st_mode & 0o055 == 0o055
        assert stack.setting("AIRFLOW_EXECUTOR") == "CeleryExecutor"
        assert stack.overrides()["worker"] == {"extra_hosts": ["sandbox:127.0.0.1"]}
        assert "sandbox" not in stack.overrides()
        assert stack.requested() == (0, 0)
        password = stack.setting("POSTGRES_PASSWORD")
        stack.to(stack.new)
        assert stack.git("rev-parse", "HEAD") == commits[1]
        assert stack.setting("POSTGRES_PASSWORD") == password
    finally:
        stack.tear_down()


def test_a_commit_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client(tmp_path, 'case "$*" in *"network inspect"*) echo 127.0.0.1;; esac')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "check").mkdir()
    stack = upgrade.UpgradedStack(tmp_path / "check", 1234)
    stack.old = "no-such-commit"
    with pytest.raises(compose.CheckError, match="no-such-commit"):
        stack.prepare()
