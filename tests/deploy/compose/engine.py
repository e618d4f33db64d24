"""What the machine has for the check: an engine, a compose that is new enough, the base images."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from local.deploy import pin_images
from tests.deploy.compose.stack import PROJECT, CheckError, command
from tests.harness.paths import REPO


class NotDone(Exception):
    """A step that this machine does not allow; the message says why."""


# The first one that takes the contents of configs and secrets from the environment and from the file itself.
OLDEST_COMPOSE = (2, 23, 1)


def compose_client() -> list[str]:
    """The words that call Docker Compose. Raises NotDone when there is none, or only one that is too old."""
    too_old = ""
    for words in (["docker", "compose"], ["docker-compose"]):
        done = command(*words, "version", "--short")
        release = re.match(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout.strip())
        if done.returncode or release is None:
            continue
        if tuple(map(int, release.groups())) >= OLDEST_COMPOSE:
            return words
        too_old = f"{' '.join(words)} is {release[0]}, and the file needs 2.23.1"
    raise NotDone(too_old or "neither `docker compose` nor docker-compose is installed")


def base_images() -> list[str]:
    """What the stack takes from a registry."""
    return list(pin_images.defaults((REPO / "docker-compose.yaml").read_text(encoding="utf-8")).values())


def require_engine() -> str:
    client = compose_client()
    info = command("docker", "info", "--format", "{{.ServerVersion}}", seconds=30)
    if info.returncode or not info.stdout.strip():
        raise NotDone("no engine answers `docker info`")
    for image in base_images():
        if command("docker", "image", "inspect", image).returncode and command("docker", "pull", image).returncode:
            raise NotDone(f"the image {image} is not here and cannot be pulled")
    taken = command("docker", "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}")
    if taken.stdout.strip():
        raise NotDone(f"another check runs, or was left: docker compose --project-name {PROJECT} down --volumes")
    return f"Docker {info.stdout.strip()}, {command(*client, 'version', '--short').stdout.strip()}"


def check_config(client: Sequence[str], folder: Path) -> None:
    """The file with a `.env` as made by the head's two lines, every profile."""
    made = command(sys.executable, str(REPO / "local" / "deploy" / "make_secrets.py"))
    env = folder / "config.env"
    env.write_text((REPO / ".env.example").read_text(encoding="utf-8") + made.stdout, encoding="utf-8")
    copy = folder / "config"
    copy.mkdir()
    shutil.copy(REPO / "docker-compose.yaml", copy)
    shutil.copy(env, copy / ".env")
    done = command(*client, "--profile", "*", "config", "--quiet", cwd=copy)
    if done.returncode:
        raise CheckError(done.stderr.strip())
