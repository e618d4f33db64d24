"""Pins the images that docker compose takes from a registry to digests: `python3 local/deploy/pin_images.py`.

The tag in use of each (docker-compose.yaml, unless `.env` names another) is pulled, and the digest that its registry
answered with is written into `.env`, which the next `docker compose up --build` goes by. A second run looks up the same
tags again and changes nothing where they have the same digest. Needs nothing but Python and Docker's client.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOTENV = ROOT / ".env"
COMPOSE = ROOT / "docker-compose.yaml"
PULL_SECONDS = 1800
REFERENCE = re.compile(r"[a-z0-9][\w.:/-]*(@sha256:[0-9a-f]{64})?")
# What `docker pull` answers, and what helps. The first that matches counts.
REASONS: tuple[tuple[str, str], ...] = (
    (
        "permission denied while trying to connect|docker.sock: connect: permission denied",
        "this account may not use the engine: add it to the group docker, or use sudo",
    ),
    (
        "cannot connect to the docker daemon|error during connect|is the docker daemon running",
        "start the engine (systemctl start docker, or Docker Desktop), then see that `docker info` answers",
    ),
    ("toomanyrequests|rate limit", "the registry's limit of pulls is used up: log in (docker login), or wait"),
    # A registry that wants a login says "denied" also of names that it does not have.
    (
        "unauthorized|authentication required|no basic auth credentials|access denied|denied:|forbidden",
        "log in to its registry (docker login REGISTRY), and check the name",
    ),
    ("manifest unknown|not found|no such manifest|name unknown", "check name and tag"),
    (
        "no such host|network is unreachable|no route to host|i/o timeout|tls|x509|connection re|proxyconnect|eof"
        "|deadline exceeded|server misbehaving|request canceled|client.timeout",
        "check the engine's way to the registry: its network, its proxy and its certificates",
    ),
)


class PinError(Exception):
    """``hint``: what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def defaults(compose: str) -> dict[str, str]:
    """Variables of docker-compose.yaml that name an image of a registry, each with the image that it is by default."""
    return dict(re.findall(r"\$\{(\w+_IMAGE):-(\S+?:\S+?)\}", compose))


def chosen(dotenv: str) -> dict[str, str]:
    """Values of `.env`, of a name that is there twice the last one, as compose reads it."""
    lines = (line.partition("=") for line in dotenv.splitlines() if not line.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in lines}


def tagged(name: str, reference: str) -> str:
    """The image without its digest. Raises PinError for what is no image, or has no tag to look up."""
    if not REFERENCE.fullmatch(reference):
        raise PinError(
            f"{name}={reference!r} is not the name of an image", f"write it as registry/name:tag in {DOTENV}"
        )
    image, digest, _ = reference.partition("@")
    if ":" in image.rpartition("/")[2]:
        return image
    if digest:
        raise PinError(f"{name}={reference} has a digest and no tag", f"write the tag before it, {image}:TAG@…")
    return f"{image}:latest"


def digest_of(image: str) -> str:
    """The digest that the registry has for this tag now; the engine pulls the image. Raises PinError."""
    try:
        done = subprocess.run(
            ["docker", "pull", image], capture_output=True, text=True, timeout=PULL_SECONDS, check=False
        )
    except FileNotFoundError:
        raise PinError("there is no command `docker`", "install Docker, or run this where it is installed") from None
    except subprocess.TimeoutExpired:
        raise PinError(f"{image}: not pulled within {PULL_SECONDS // 60} minutes", REASONS[-1][1]) from None
    found = re.search(r"^Digest: (sha256:[0-9a-f]{64})$", done.stdout, re.M)
    if done.returncode == 0 and found:
        return found[1]
    last = (done.stderr.strip() or done.stdout.strip() or "it printed nothing").splitlines()[-1]
    last = re.sub(r"//[^/@\s]+@", "//***@", last)
    hints = [hint for pattern, hint in REASONS if re.search(pattern, done.stderr, re.I)]
    raise PinError(f"{image} could not be pulled: {last}", hints[0] if hints else f"try it: docker pull {image}")


def written(dotenv: str, pins: dict[str, str]) -> str:
    """``dotenv`` with these values, each in the place of the last line of its name, else at the end."""
    lines = dotenv.splitlines()
    for name, value in pins.items():
        places = [index for index, line in enumerate(lines) if re.match(rf"\s*{name}\s*=", line)]
        if places:
            lines[places[-1]] = f"{name}={value}"
        else:
            lines.append(f"{name}={value}")
    return "\n".join(lines) + "\n"


def replace(file: Path, text: str) -> None:
    """In one step and with the mode that the file has, because it holds passwords."""
    draft = file.with_name(f"{file.name}.new")
    draft.touch(mode=0o600)
    draft.chmod(file.stat().st_mode & 0o777)
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def pin() -> list[str]:
    """Look up every image, then write them all; a line for each. Raises PinError before anything is written."""
    if not DOTENV.exists():
        raise PinError(f"{DOTENV} is missing", "install -m 600 .env.example .env")
    images = defaults(COMPOSE.read_text(encoding="utf-8"))
    for name in images:
        if os.environ.get(name):
            raise PinError(f"the shell has {name}, which docker compose prefers to .env", f"unset {name}")
    text = DOTENV.read_text(encoding="utf-8")
    before = chosen(text)
    pins, report = {}, []
    for name, default in images.items():
        image = tagged(name, before.get(name) or default)
        pins[name] = f"{image}@{digest_of(image)}"
        new = "unchanged" if before.get(name) == pins[name] else "moved" if "@" in before.get(name, "") else "pinned"
        report.append(f"{new:9} {name}={pins[name]}")
    if (after := written(text, pins)) != text:
        replace(DOTENV, after)
    return report


def main() -> int:
    try:
        report = pin()
    except PinError as error:
        print(f"error: {error} (nothing was written)\nhint:  {error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror} (nothing was written)", file=sys.stderr)
        return 1
    print("\n".join(report))
    if not all(line.startswith("unchanged") for line in report):
        print("To run these: docker compose up --build --detach")
    return 0


if __name__ == "__main__":
    sys.exit(main())
