"""Digests for `.env`: the real command, with a client of Docker that answers what the real one does."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from local.deploy import pin_images
from tests.harness.paths import REPO

IMAGES = {
    "AIRFLOW_IMAGE": "apache/airflow:3.3.2-python3.12",
    "POSTGRES_IMAGE": "postgres:17",
    "REDIS_IMAGE": "redis:7.2-bookworm",
}
DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"
PULLS = 'echo "$*" >> "$(dirname "$0")/pulled"; echo "17: Pulling from library/x"; echo "Digest: {}"'


class Checkout:
    """A folder with the compose file, a `.env` and a command `docker`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dotenv = folder / ".env"
        for name in ("local/deploy/pin_images.py", "docker-compose.yaml"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text((REPO / name).read_text())
        self.dotenv.write_text("# mine\nPOSTGRES_PASSWORD=secret-of-mine\n#REDIS_IMAGE=no\n")
        self.dotenv.chmod(0o600)
        (folder / "bin").mkdir()
        (folder / "bin" / "python3").symlink_to(sys.executable)

    def docker(self, body: str) -> None:
        file = self.folder / "bin" / "docker"
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)

    def run(self, **env: str) -> subprocess.CompletedProcess[str]:
        path = {"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin"} if (self.folder / "bin" / "docker").exists() else {}
        return subprocess.run(
            [sys.executable, str(self.folder / "local" / "deploy" / "pin_images.py")],
            env={"PATH": str(self.folder / "bin"), **path, **env},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_digest_of_each_tag_is_written(checkout: Checkout) -> None:
    checkout.docker(PULLS.format(DIGEST))
    done = checkout.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert (checkout.folder / "bin" / "pulled").read_text().split("\n")[:-1] == [f"pull {i}" for i in IMAGES.values()]
    pinned = "".join(f"{name}={image}@{DIGEST}\n" for name, image in IMAGES.items())
    assert checkout.dotenv.read_text() == f"# mine\nPOSTGRES_PASSWORD=secret-of-mine\n#REDIS_IMAGE=no\n{pinned}"
    assert stat.S_IMODE(checkout.dotenv.stat().st_mode) == 0o600
    assert "docker compose up --build --detach" in done.stdout


def test_a_second_run_changes_nothing_until_the_tag_has_another_digest(checkout: Checkout) -> None:
    checkout.docker(PULLS.format(DIGEST))
    checkout.run()
    before = checkout.dotenv.read_text(), checkout.dotenv.stat().st_mtime_ns
    done = checkout.run()
    assert (checkout.dotenv.read_text(), checkout.dotenv.stat().st_mtime_ns) == before
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["unchanged"] * 3
    checkout.docker(PULLS.format(OTHER))
    done = checkout.run()
    assert checkout.dotenv.read_text() == before[0].replace(DIGEST, OTHER)
    assert done.stdout.startswith("moved")


def test_an_image_of_ones_own_is_pinned_as_it_is_named(checkout: Checkout) -> None:
    checkout.docker(PULLS.format(DIGEST))
    mine = "mirror.example.org:5000/postgres"
    checkout.dotenv.write_text(f"POSTGRES_IMAGE=postgres:16\nPOSTGRES_IMAGE='{mine}'\nA=b")
    assert checkout.run().returncode == 0
    lines = checkout.dotenv.read_text().splitlines()
    assert lines[:3] == ["POSTGRES_IMAGE=postgres:16", f"POSTGRES_IMAGE={mine}:latest@{DIGEST}", "A=b"]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", "start"),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            "group docker",
        ),
        (
            'Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: request canceled while'
            " waiting for connection (Client.Timeout exceeded while awaiting headers)",
            "its network, its proxy",
        ),
        (
            "Error response from daemon: pull access denied for apache/airflow, repository does not exist or may"
            " require 'docker login': denied: requested access to the resource is denied",
            "docker login",
        ),
        ("Error response from daemon: manifest for apache/airflow:3.3.2 not found: manifest unknown", "check name"),
        ("toomanyrequests: You have reached your unauthenticated pull rate limit", "limit of pulls"),
        ("something else", "try it: docker pull apache/airflow:3.3.2-python3.12"),
    ],
)
def test_what_the_engine_refuses_is_named_with_what_helps(checkout: Checkout, answer: str, hint: str) -> None:
    checkout.docker(f"echo 'Using default tag' ; echo {answer!r} >&2; exit 1".replace("'docker login'", "docker login"))
    before = checkout.dotenv.read_text()
    done = checkout.run()
    assert (done.returncode, done.stdout) == (1, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("error: apache/airflow:3.3.2-python3.12 could not be pulled: ")
    assert first.endswith(" (nothing was written)")
    assert second.startswith("hint:  ")
    assert hint in second
    assert checkout.dotenv.read_text() == before


def test_no_engine_no_dotenv_a_wrong_name_and_a_shell_that_decides(checkout: Checkout) -> None:
    def refused(**env: str) -> str:
        done = checkout.run(**env)
        assert done.returncode == 1
        return done.stderr

    assert "there is no command `docker`" in refused()
    checkout.docker(PULLS.format(DIGEST))
    assert "the shell has REDIS_IMAGE" in refused(REDIS_IMAGE="redis:8")
    for value, reason in (
        ("post gres:17", "is not the name of an image"),
        (f"postgres@{DIGEST}", "has a digest and no tag"),
    ):
        checkout.dotenv.write_text(f"POSTGRES_IMAGE={value}\n")
        assert reason in refused()
        assert checkout.dotenv.read_text() == f"POSTGRES_IMAGE={value}\n"
    checkout.dotenv.unlink()
    assert "hint:  install -m 600 .env.example .env" in refused()


def test_a_password_of_a_proxy_is_not_shown(checkout: Checkout) -> None:
    checkout.docker("echo 'proxyconnect tcp: http://me:of-mine@proxy: no such host' >&2; exit 1")
    assert "of-mine" not in checkout.run().stderr


def test_the_files_name_the_same_images() -> None:
    compose = (REPO / "docker-compose.yaml").read_text()
    assert pin_images.defaults(compose) == IMAGES
    # None is named without a variable, but what is built here.
    named = re.findall(r"(?m)^ +image: (\S+)$", compose)
    assert [image for image in named if not image.startswith("${")] == []
    dockerfile = (REPO / "Dockerfile").read_text()
    assert f"\nARG AIRFLOW_IMAGE={IMAGES['AIRFLOW_IMAGE']}\nFROM ${{AIRFLOW_IMAGE}} AS product\n" in dockerfile
    assert re.findall(r"(?m)^FROM (\S+)", dockerfile) == ["${AIRFLOW_IMAGE}", "product"]
    example = (REPO / ".env.example").read_text()
    for name, image in IMAGES.items():
        assert f"\n# {name}={image}\n" in example


def test_an_image_with_another_airflow_is_refused_by_the_build(tmp_path: Path) -> None:
    """The line of the Dockerfile, with a Python whose Airflow has another release."""
    text = (REPO / "Dockerfile").read_text()
    (line,) = re.findall(r"(?m)^RUN (\[ .*?exit 1; \})$", text, re.S)
    script = line.replace("\\\n", "")
    for release, code in (("3.3.2", 0), ("3.4.0", 1)):
        (tmp_path / "python").write_text(f"#!/bin/sh\necho {release}\n")
        (tmp_path / "python").chmod(0o755)
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "AIRFLOW_IMAGE": "apache/airflow:other"}
        done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code
        assert ("AIRFLOW_IMAGE=apache/airflow:other has another release" in done.stderr) == bool(code)
