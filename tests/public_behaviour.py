"""What users, Airflow and other programs rely on, as text: `public_behaviour.snapshot.txt` shows changes in review.

python -m tests.public_behaviour   writes the file anew

DAG ids with their task ids, the options of the command line, the trigger form, the manifest, the names of environment
variables, and the dotted paths that Airflow stores.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests.harness.manifests import manifest, text
from tests.harness.paths import REPO

FILE = Path(__file__).with_name("public_behaviour.snapshot.txt")
# Rows of Airflow's own tables name these: they must import for as long as such rows may exist.
STORED_PATHS = (
    "sportmonks.triggers.budget.BudgetTrigger",
    "sportmonks.alerts.deadlines.deadline_missed",
    "sportmonks.alerts.reference.RunQueuedAt",
    "sportmonks.monitoring.deadlines.deadline_missed",
    "sportmonks.monitoring.reference.RunQueuedAt",
    "sportmonks.notifiers.alert.AlertNotifier",
    "sportmonks.notifiers.webhook.WebhookNotifier",
)


def snapshot() -> str:
    """The sections in a fixed order, each under its heading."""
    sections = {
        "DAGs and tasks": _dags(),
        "Trigger form of a league": _form(),
        "Command line": _options(),
        "Environment variables": _environment(),
        "Manifest": _manifest(),
        "Dotted paths stored by Airflow": _paths(),
    }
    return "\n".join(f"# {title}\n" + "\n".join(lines) + "\n" for title, lines in sections.items())


def _bag() -> dict[str, Any]:
    from tests.dags.bag import filled_bag

    os.environ["AIRFLOW_VAR_SPORTMONKS_MANIFEST"] = text(manifest(leagues=1, seasons=2))
    try:
        return dict(filled_bag(str(REPO / "dags")).dags)
    finally:
        del os.environ["AIRFLOW_VAR_SPORTMONKS_MANIFEST"]


def _dags() -> Iterator[str]:
    for dag_id, dag in sorted(_bag().items()):
        yield f"{dag_id}: {' '.join(sorted(dag.task_ids))}"


def _form() -> Iterator[str]:
    (dag,) = (dag for dag_id, dag in _bag().items() if dag_id == "sportmonks_league_1")
    for name, param in dag.params.items():
        schema = {key: value for key, value in param.schema.items() if key in ("type", "minimum", "maximum", "format")}
        yield f"{name} = {param.value!r} {schema}"


def _options() -> Iterator[str]:
    from local.cli.main import build_parser

    (commands,) = (a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    for command, parser in sorted(commands.choices.items()):
        yield f"{command}:"
        yield from _of_parser(parser, "  ")


def _of_parser(parser: argparse.ArgumentParser, indent: str) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in sorted(action.choices.items()):
                yield f"{indent}{name}:"
                yield from _of_parser(sub, indent + "  ")
        elif action.dest != "help":
            name = ", ".join(action.option_strings) or action.dest
            choices = f" of {sorted(map(str, action.choices))}" if action.choices else ""
            yield f"{indent}{name}{choices} (default {action.default!r})"


def _environment() -> Iterator[str]:
    """Names that the code reads or the example lists."""
    found: set[str] = set()
    for file in [REPO / ".env.example", REPO / "docker-compose.yaml", *REPO.glob("plugins/**/*.py"),
                 *REPO.glob("local/**/*.py")]:  # fmt: skip
        found |= set(re.findall(r"\b(?:ETL|SPORTMONKS|SUPABASE)_[A-Z_]+\b", file.read_text(encoding="utf-8")))
    yield from sorted(found)


def _manifest() -> Iterator[str]:
    yield from msgspec.json.format(text(manifest(leagues=1, seasons=2)), indent=2).splitlines()


def _paths() -> Iterator[str]:
    for path in STORED_PATHS:
        module, _, name = path.rpartition(".")
        found = getattr(importlib.import_module(module), name)
        yield f"{path}: {'class' if isinstance(found, type) else 'function'}"


if __name__ == "__main__":
    FILE.write_text(snapshot(), encoding="utf-8")
