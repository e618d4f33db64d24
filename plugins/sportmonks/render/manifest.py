"""All league DAGs of the manifest. A problem with the manifest becomes a DAG that describes it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from airflow.sdk import DAG, get_parsing_context

from sportmonks.config.manifest import REWRITE_HINT, Manifest, decode_manifest, salvage_manifest
from sportmonks.errors import ConfigurationError
from sportmonks.render.dag import problem_dag
from sportmonks.render.league import build_league_dag

log = logging.getLogger(__name__)

PROBLEM_DAG = "sportmonks_manifest_problem"


def league_dags(text: str | None) -> dict[str, DAG]:
    """DAGs by id from the manifest's text. When a task starts, only its own DAG is built."""
    if not text:
        return _problem("There is no manifest yet. Run the DAG sportmonks_catalog once; it writes it.")
    try:
        manifest = decode_manifest(text)
    except ConfigurationError as error:
        try:
            return _build(*salvage_manifest(text))
        except ConfigurationError:
            return _problem(str(error))
    return _build(manifest)


def _build(manifest: Manifest, problems: Sequence[str] = ()) -> dict[str, DAG]:
    only = get_parsing_context().dag_id
    dags: dict[str, DAG] = {}
    found = list(problems)
    for league in manifest.leagues:
        if only is None or only == league.dag_id:
            try:
                dags[league.dag_id] = build_league_dag(league, manifest.settings)
            except Exception as error:  # one league must not take the others with it
                log.exception("The DAG of %s cannot be built", league.name)
                found.append(f"League {league.name}: {type(error).__name__}: {error}.")
    return dags | _problem(" ".join([*found, REWRITE_HINT])) if found else dags


def _problem(message: str) -> dict[str, DAG]:
    doc = f"### The league DAGs cannot be built\n\n{message}"
    title = "Football: problem with the manifest"
    return {PROBLEM_DAG: problem_dag(PROBLEM_DAG, message, title=title, doc=doc, tag="sportmonks")}
