"""The steps of the check. Each returns a figure to print, or None; CheckError says what does not hold."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence

import requests

from tests.deploy.compose.stack import LEAGUES, LIMIT, PROJECT, CheckError, ComposeStack, command, wait_for

FIRST = next(iter(LEAGUES))
# In the order of the kills; the sandbox plays the provider and is not part of the product.
KILLED = ("worker-1", "scheduler", "redis", "api-server", "postgres", "dag-processor", "triggerer")
STOPPED = "worker-2"
PROGRESS = 4  # batches between two of them, at least
DOWN_S = 5  # a killed container is away for this long
SECRETS = re.compile(r"^(\w*(?:PASSWORD|KEY|SECRET))=(.+)$", re.M)


# -- the default profile ----------------------------------------------------------------------------------------------


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
    wait_for(lambda: FIRST in stack.airflow.dag_ids(), "the league DAGs", 300)


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
