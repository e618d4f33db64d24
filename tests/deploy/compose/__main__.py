"""`make compose-check`: docker-compose.yaml tried for real, where an engine and the images are at hand.

The config is checked with every profile. Then, in a clone of HEAD with nothing but a `.env`: a checkout that containers
cannot read is refused with its hint, and so is a single $; up; secrets are files; the catalog and a league, compared
with the sandbox row by row; the page behind its login; down and up with the data kept; then Celery, with every
container killed or stopped in the middle of runs. What cannot be done here is named with its reason. Exit code 1 only
when something does not hold.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests

from tests.deploy.compose.stack import (
    LEAGUES,
    LIMIT,
    PROJECT,
    CheckError,
    ComposeStack,
    command,
    wait_for,
)
from tests.harness.paths import REPO

FIRST = next(iter(LEAGUES))
# In the order of the kills; the sandbox plays the provider and is not part of the product.
KILLED = ("worker-1", "scheduler", "redis", "api-server", "postgres", "dag-processor", "triggerer")
STOPPED = "worker-2"
PROGRESS = 4  # batches between two of them, at least
DOWN_S = 5  # a killed container is away for this long
SECRETS = re.compile(r"^(\w*(?:PASSWORD|KEY|SECRET))=(.+)$", re.M)


class NotDone(Exception):
    """A step that this machine does not allow; the message says why."""


class Report:
    """Prints each step with its seconds and counts what failed."""

    def __init__(self) -> None:
        self.failed = 0

    def step(self, title: str, work: Callable[[], str | None]) -> bool:
        """Whether it held. ``work`` returns a figure to print, or None."""
        begin = time.monotonic()
        try:
            figure = work()
        except CheckError as error:
            self.failed += 1
            print(f"failed    {title}: {error}", flush=True)
            return False
        print(f"ok        {title} ({time.monotonic() - begin:.0f} s){': ' + figure if figure else ''}", flush=True)
        return True

    @staticmethod
    def not_done(what: str, reason: str) -> None:
        print(f"not done  {what}: {reason}", flush=True)


# -- what is at hand ----------------------------------------------------------------------------------------------


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
    """What the two files name and do not build themselves."""
    named = re.findall(r"^FROM (\S+:\S+)", (REPO / "Dockerfile").read_text(encoding="utf-8"), re.M)
    return named + re.findall(
        r"^ +image: ([\w./]+:\S+)$", (REPO / "docker-compose.yaml").read_text(encoding="utf-8"), re.M
    )


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


# -- the default profile ------------------------------------------------------------------------------------------


def unreadable_checkout_is_refused(stack: ComposeStack) -> str:
    done = stack.compose("up", "--build", "--detach")
    logs = stack.must("logs", "--no-log-prefix", "preflight")
    hints = set(re.findall(r"Run in the checkout: (chmod .*)$", logs, re.M))
    if done.returncode == 0 or len(hints) != 1:
        raise CheckError(f"the containers cannot read the checkout, but preflight wrote: {logs.strip()[-500:]}")
    hint = hints.pop()
    if (applied := command("sh", "-c", hint, cwd=stack.clone)).returncode:
        raise CheckError(f"the hint {hint!r} failed: {applied.stderr}")
    return hint


def up(stack: ComposeStack, *options: str) -> str:
    stack.must("up", "--build", "--detach", "--wait", *options)
    for name, row in stack.containers().items():
        state = row["State"]
        healthy = state.get("Health", {}).get("Status") == "healthy" if state["Running"] else state["ExitCode"] == 0
        if not healthy or row["RestartCount"]:
            raise CheckError(f"{name} is {state['Status']}, restarted {row['RestartCount']} times")
    return f"{len(stack.containers())} containers"


def a_single_dollar_is_refused(stack: ComposeStack) -> str:
    before = (stack.clone / ".env").read_text(encoding="utf-8")
    stack.settle({"AIRFLOW_CONN_MINE": "smtp://me:a$b@mail.example.org"})
    made = command(sys.executable, "local/deploy/make_secrets.py", cwd=stack.clone)
    done = stack.compose("up", "--detach")
    logs = stack.must("logs", "--no-log-prefix", "preflight")
    (stack.clone / ".env").write_text(before, encoding="utf-8")
    for text, code in ((made.stderr, made.returncode), (logs, done.returncode)):
        if code == 0 or "AIRFLOW_CONN_MINE in .env holds a $" not in text:
            raise CheckError(f"code {code}: {text.strip()[-500:]}")
    running = [name for name, row in stack.containers().items() if row["State"]["Running"] and "sandbox" not in name]
    if running:
        raise CheckError(f"{running} started all the same")
    return "by make_secrets.py and by preflight"


def secrets_are_files(stack: ComposeStack) -> str:
    """In no command line, argument, health check or environment; each file only where it is needed."""
    lines = SECRETS.findall((stack.clone / ".env").read_text(encoding="utf-8"))
    secrets = {value.replace("$$", "$"): name for name, value in lines}
    for name, row in stack.containers().items():
        service = row["Config"]["Labels"]["com.docker.compose.service"]
        config = row["Config"]
        words = json.dumps([row["Path"], row["Args"], config.get("Healthcheck"), config["Env"], config["Labels"]])
        if row["State"]["Running"]:
            words += command("docker", "top", name, "axww", "-o", "pid,args").stdout
            there = command("docker", "exec", name, "test", "-e", "/run/secrets/postgres_password").returncode == 0
            if there != (service == "postgres"):
                raise CheckError(f"the superuser's password and {name} do not go together")
        found = {secret for value, secret in secrets.items() if value in words}
        if found - ({"SPORTMONKS_API_KEY"} if service == "sandbox" else set()):
            raise CheckError(f"{sorted(found)} on a command line or in the environment of {name}")
    return f"{len(secrets)} secrets"


def own_connection_reaches_airflow(stack: ComposeStack) -> None:
    for name, row in stack.containers().items():
        service = row["Config"]["Labels"]["com.docker.compose.service"]
        given = any(line.startswith("AIRFLOW_CONN_OF_MY_OWN={") for line in row["Config"]["Env"])
        if given != (service not in ("postgres", "redis", "sandbox")):
            raise CheckError(f"AIRFLOW_CONN_OF_MY_OWN of .env and {name} do not go together")


def logs_are_rotated(stack: ComposeStack) -> None:
    for name, row in stack.containers().items():
        if "max-size" not in row["HostConfig"]["LogConfig"]["Config"]:
            raise CheckError(f"the log of {name} grows without a bound")


def collect(stack: ComposeStack, dag_id: str) -> str:
    stack.finish({dag_id: stack.trigger(dag_id)})
    return compared(stack, [LEAGUES[dag_id]])


def compared(stack: ComposeStack, leagues: Sequence[int]) -> str:
    if found := stack.differences(leagues):
        raise CheckError(f"{len(found)} differences from the sandbox, such as {found[0]}")
    return f"{stack.count()} fixtures, no row differs from the sandbox"


def catalog(stack: ComposeStack) -> None:
    stack.must("exec", "--no-TTY", "scheduler", "airflow", "dags", "trigger", "sportmonks_catalog")
    wait_for(lambda: stack.airflow.dag(FIRST), "the league DAGs", 300)


def page(stack: ComposeStack) -> str:
    address = f"{stack.url}/sportmonks-etl/"
    body = {"username": "admin", "password": stack.setting("AIRFLOW_ADMIN_PASSWORD")}
    token = requests.post(f"{stack.url}/auth/token", json=body, timeout=30).json()["access_token"]
    opened = requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    closed = requests.get(address, timeout=30)
    if (opened.status_code, closed.status_code) != (200, 401) or "<title>Sportmonks ETL</title>" not in opened.text:
        raise CheckError(f"HTTP {opened.status_code} with a login, {closed.status_code} without")
    return "200 with a login, 401 without"


def down_and_up_keep_the_data(stack: ComposeStack) -> str:
    before = stack.count()
    stack.must("down")
    if stack.containers():
        raise CheckError("containers are left after down")
    up(stack)
    page(stack)
    if (after := stack.count()) != before:
        raise CheckError(f"{before} fixtures before, {after} after")
    return f"{after} fixtures"


# -- Celery -------------------------------------------------------------------------------------------------------


def to_celery(stack: ComposeStack) -> str:
    """Refused while running containers have the file of an old password, then with what the refusal names."""
    stack.settle({"AIRFLOW_ADMIN_PASSWORD": "another-password"})
    done = stack.compose("up", "--detach")
    logs = stack.must("logs", "--no-log-prefix", "preflight")
    if done.returncode == 0 or "docker compose up --detach --force-recreate" not in logs:
        raise CheckError(f"a changed password was not noticed: {logs.strip()[-500:]}")
    stack.settle({"COMPOSE_PROFILES": "sandbox,celery", "AIRFLOW_EXECUTOR": "CeleryExecutor", "CELERY_WORKERS": "2"})
    found = up(stack, "--force-recreate")
    page(stack)
    return found


def killed_in_the_middle(stack: ComposeStack) -> str:
    """All leagues at once; every container is killed or stopped while they run, and started again."""
    stack.sandbox("DELETE", "/calls")
    runs = {dag_id: stack.trigger(dag_id, batch_size=5, force=True) for dag_id in LEAGUES}
    for service in (STOPPED, *KILLED):
        seen = stack.batches()
        wait_for(lambda seen=seen: stack.batches() >= seen + PROGRESS, f"progress before {service} goes", 600)  # type: ignore[misc]
        name = f"{PROJECT}-{service}" if service[-1].isdigit() else f"{PROJECT}-{service}-1"
        begin = time.monotonic()
        done = command("docker", "stop", name) if service == STOPPED else command("docker", "kill", name)
        if done.returncode:
            raise CheckError(f"{service}: {done.stderr.strip()}")
        how = "stopped" if service == STOPPED else "killed"
        print(
            f"          {how} {service} after {seen + PROGRESS} batches or more ({time.monotonic() - begin:.0f} s)",
            flush=True,
        )
        if how == "stopped" and (code := stack.containers("worker")[name]["State"]["ExitCode"]) not in (0, 143):
            raise CheckError(f"{service} ended with code {code}: its tasks were not finished")
        time.sleep(DOWN_S)
        command("docker", "start", name)
    stack.finish(runs)
    calls = stack.sandbox("GET", "/calls?last=0&fixtures=1")
    if calls["total_429"] or calls["calls_after_remaining_zero"]:
        raise CheckError(f"{calls['total_429']} calls were refused: more than {LIMIT} in a window")
    figure = compared(stack, list(LEAGUES.values()))
    return f"{figure}; {calls['fixtures_requested']} requested, {calls['fixtures_requested_again']} of them twice"


# -- all of it ----------------------------------------------------------------------------------------------------


def play(report: Report, stack: ComposeStack, *, celery: bool) -> None:
    """The steps in their order; most need the ones before."""
    stack.prepare()
    must = [
        ("a checkout under umask 077 is refused, with its hint", unreadable_checkout_is_refused),
        ("a single $ in .env is refused before anything starts", a_single_dollar_is_refused),
        ("up, all healthy", up),
        ("secrets are files, in no environment and on no command line", secrets_are_files),
        ("a connection of .env reaches every Airflow container", own_connection_reaches_airflow),
        ("logs are rotated", logs_are_rotated),
        ("the catalog's run makes the league DAGs", catalog),
        (f"{FIRST} is green", lambda stack: collect(stack, FIRST)),
        ("the page", page),
        ("down and up keep the data", down_and_up_keep_the_data),
    ]
    if celery:
        must += [
            ("to the Celery profile with another password, all healthy", to_celery),
            ("secrets are files with Celery as well", secrets_are_files),
            (f"every container killed or stopped in the middle of {len(LEAGUES)} runs", killed_in_the_middle),
        ]
    for title, work in must:
        if not report.step(title, lambda work=work: work(stack)):  # type: ignore[misc]
            report.not_done("the steps after it", "they need this one")
            return


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make compose-check", description=__doc__.split("\n\n")[0])
    parser.add_argument("--no-celery", action="store_true", help="the default profile only")
    parser.add_argument("--uid", type=int, default=1234, help="AIRFLOW_UID of the containers (default 1234)")
    parser.add_argument("--cpu-shares", type=int, help="of each container; few, where the machine has other work")
    parser.add_argument("--keep", action="store_true", help="leave the stack running")
    options = parser.parse_args(arguments)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="compose-check-") as folder:
        try:
            client = compose_client()
        except NotDone as reason:
            report.not_done("everything", str(reason))
            return 0
        report.step("the file is valid with every profile", lambda: check_config(client, Path(folder)))
        try:
            print(f"          {require_engine()}", flush=True)
        except NotDone as reason:
            report.not_done("up, a league, the page, down, up, kills", str(reason))
            return int(report.failed > 0)
        stack = ComposeStack(Path(folder), options.uid, options.cpu_shares)
        try:
            play(report, stack, celery=not options.no_celery)
        except (CheckError, requests.RequestException, subprocess.SubprocessError) as error:
            report.failed += 1
            print(f"failed    {error}", flush=True)
        finally:
            if options.keep:
                print(f"left running: {stack.url}, project {PROJECT}; press Enter to remove it", flush=True)
                sys.stdin.readline()
            stack.tear_down()
    return int(report.failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
