"""`make compose-check`: docker-compose.yaml tried for real, where an engine and the images are at hand.

The config is checked with every profile. Then, in a clone of HEAD with nothing but a `.env`: a checkout that containers
cannot read is refused with its hint, and so is a single $; up; secrets are files; the catalog and a league, compared
with the sandbox row by row; the page behind its login; down and up with the data kept; then Celery, with every
container killed or stopped in the middle of runs. What cannot be done here is named with its reason. Exit code 1 only
when something does not hold.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import requests

from tests.deploy.compose import steps, upgrade
from tests.deploy.compose.engine import NotDone, check_config, compose_client, require_engine
from tests.deploy.compose.report import Report, Step
from tests.deploy.compose.stack import LEAGUES, PROJECT, CheckError, ComposeStack


def default_steps(*, celery: bool) -> list[Step]:
    """In their order; most need the ones before."""
    must: list[Step] = [
        ("a checkout under umask 077 is refused, with its hint", steps.unreadable_checkout_is_refused),
        ("a single $ in .env is refused before anything starts", steps.a_single_dollar_is_refused),
        ("up, all healthy", steps.up),
        ("secrets are files, in no environment and on no command line", steps.secrets_are_files),
        ("a connection of .env reaches every Airflow container", steps.own_connection_reaches_airflow),
        ("logs are rotated", steps.logs_are_rotated),
        ("the catalog's run makes the league DAGs", steps.catalog),
        (f"{steps.FIRST} is green", lambda stack: steps.collect(stack, steps.FIRST)),
        ("the page", steps.page),
        ("down and up keep the data", steps.down_and_up_keep_the_data),
    ]
    if celery:
        must += [
            ("to the Celery profile with another password, all healthy", steps.to_celery),
            ("secrets are files with Celery as well", steps.secrets_are_files),
            (f"every container killed or stopped in the middle of {len(LEAGUES)} runs", steps.killed_in_the_middle),
        ]
    return must


def play(report: Report, stack: ComposeStack, must: Sequence[Step]) -> None:
    stack.prepare()
    for title, work in must:
        if not report.step(title, lambda work=work: work(stack)):  # type: ignore[misc]
            report.not_done("the steps after it", "they need this one")
            return


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make compose-check", description=__doc__.split("\n\n")[0])
    parser.add_argument("--no-celery", action="store_true", help="the default profile only")
    parser.add_argument("--uid", type=int, default=1234, help="AIRFLOW_UID of the containers (default 1234)")
    parser.add_argument("--cpu-shares", type=int, help="of each container; few, where the machine has other work")
    parser.add_argument(
        "--upgrade-from",
        metavar="REF",
        help="instead: start this commit, upgrade it to HEAD while leagues are collected, then try to go back",
    )
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
        celery = not options.no_celery
        if options.upgrade_from:
            upgraded = upgrade.UpgradedStack(Path(folder), options.uid, options.cpu_shares)
            upgraded.old, upgraded.celery = options.upgrade_from, celery
            stack: ComposeStack = upgraded
            must = upgrade.steps_of(upgraded)
        else:
            stack, must = ComposeStack(Path(folder), options.uid, options.cpu_shares), default_steps(celery=celery)
        try:
            play(report, stack, must)
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
