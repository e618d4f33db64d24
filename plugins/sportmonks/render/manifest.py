"""All league DAGs of the manifest; whatever is wrong with it becomes a DAG that says so."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NoReturn

import msgspec
from airflow.sdk import DAG, get_parsing_context, task

from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League, Manifest, decode_manifest
from sportmonks.config.old_names import present_manifest
from sportmonks.errors import ConfigurationError
from sportmonks.render.league import build_league_dag

log = logging.getLogger(__name__)

PROBLEM_DAG = "sportmonks_manifest_problem"
HINT = "Run the DAG sportmonks_catalog; it writes the manifest anew."


def league_dags(text: str | None) -> dict[str, DAG]:
    """DAGs by id from the manifest's text. When a task starts, only its own DAG is built."""
    if not text:
        return _problem("There is no manifest yet. Run the DAG sportmonks_catalog once; it writes it.")
    try:
        manifest = decode_manifest(text)
    except ConfigurationError as error:
        return _salvaged(text) or _problem(str(error))
    return _build(manifest)


def _build(manifest: Manifest, problems: Sequence[str] = ()) -> dict[str, DAG]:
    asked = get_parsing_context().dag_id
    dags: dict[str, DAG] = {}
    found = list(problems)
    for league in manifest.leagues:
        if asked is None or asked == league.dag_id:
            try:
                dags[league.dag_id] = build_league_dag(league, manifest.settings)
            except Exception as error:  # whatever it is, it must not hide the other leagues
                log.exception("The DAG of %s cannot be made", league.name)
                found.append(f"League {league.name}: {type(error).__name__}: {error}.")
    return dags | _problem(" ".join([*found, HINT])) if found else dags


def _salvaged(text: str) -> dict[str, DAG]:
    """The leagues of a manifest that can be read although others cannot."""
    try:
        raw = present_manifest(msgspec.json.decode(text))
        entries = raw["leagues"]
        settings = msgspec.convert(raw["settings"], TaskSettings)
    except (msgspec.MsgspecError, UnicodeError, KeyError, TypeError):
        return {}
    leagues, problems = [], []
    for place, entry in enumerate(entries):
        try:
            leagues.append(msgspec.convert(entry, League))
        except msgspec.ValidationError as error:
            name = entry.get("name") if isinstance(entry, dict) else None
            problems.append(f"League {name or f'number {place + 1}'}: {error}.")
    if not leagues:
        return {}
    return _build(Manifest(settings=settings, leagues=tuple(leagues)), problems)


def _problem(message: str) -> dict[str, DAG]:
    """A DAG that carries the message where people look: in its description, its doc and its only task."""
    with DAG(
        dag_id=PROBLEM_DAG,
        description=message,
        doc_md=f"### The league DAGs cannot be made\n\n{message}",
        schedule=None,
        tags=["sportmonks", "problem"],
        default_args={"owner": "sportmonks", "retries": 0},
    ) as dag:

        @task(task_id="explain")
        def explain() -> NoReturn:
            raise ConfigurationError(message)

        explain()
    return {PROBLEM_DAG: dag}
