"""Finds the league that the user named: reads the manifest, runs the catalog's DAG when needed, suggests near names."""

from __future__ import annotations

import difflib
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.cli.failures import show_failure
from local.cli.follow import FollowedRun, Follower
from local.errors import LocalError, UsageError
from local.stack.files import read_json, write_json
from local.stack.stack import Stack

if TYPE_CHECKING:
    from sportmonks.config.manifest import League, Manifest

CATALOG_DAG = "sportmonks_catalog"
LAST_TASK = "publish"  # it writes the manifest; the lists that are read after it are not needed by any league
PARSE_SECONDS = 90
# A slow machine is waited for as long as its DAG processor lives; this much later something hangs.
APPEAR_SECONDS = 1800
PROGRESS_SECONDS = 15


def manifest(stack: Stack) -> Manifest | None:
    """The manifest in Airflow; None before the catalog's first run."""
    from sportmonks.config.manifest import decode_manifest
    from sportmonks.config.settings import MANIFEST_VARIABLE
    from sportmonks.errors import SportmonksError

    text = stack.api.variable(MANIFEST_VARIABLE)
    if text is None:
        return None
    try:
        return decode_manifest(text)
    except SportmonksError as error:
        raise LocalError(error.message, hint=error.hint or f"run the DAG {CATALOG_DAG} in Airflow") from None


def ready_manifest(stack: Stack, *, refresh: bool = False) -> tuple[Manifest, bool]:
    """The manifest of the configured leagues, and whether the catalog's DAG was run for it.

    It is run when there is no manifest yet, when the manifest was made for other settings, or to `refresh` it.
    """
    found = None if refresh else manifest(stack)
    fresh = found is None or read_json(_choice_file(stack)) != _choice(stack)
    if fresh:
        run_catalog(stack)
        found = manifest(stack)
    if found is None or not found.leagues:
        raise LocalError(
            f"{CATALOG_DAG} has written no manifest with leagues",
            hint=f"look at its log in {stack.airflow.url}/dags/{CATALOG_DAG}",
        )
    return found, fresh


def run_catalog(stack: Stack) -> None:
    """Trigger the catalog's DAG and wait for its manifest."""
    wait_for_dags(stack, CATALOG_DAG)
    stack.say("the catalog is read from the API")
    stack.api.unpause(CATALOG_DAG)
    run = FollowedRun.of("catalog", stack.api.trigger(CATALOG_DAG, {}), until=LAST_TASK)
    follower = Follower(stack.api, stack.warehouse)
    if not follower.follow([run]):
        show_failure(stack.api, follower, run)
        raise LocalError(f"{CATALOG_DAG} has failed", hint="see above; then run this command again")
    # The manifest is what the league DAGs are generated from.
    stack.api.parse("sportmonks_leagues.py", timeout=PARSE_SECONDS)
    write_json(_choice_file(stack), _choice(stack))


def wait_for_dags(stack: Stack, *dag_ids: str) -> None:
    """Wait until Airflow has parsed the DAGs, and say so while that takes long.

    LocalError when the DAG processor has ended, when a file cannot be imported, and when it takes half an hour.
    """
    begun = reported = time.monotonic()
    while absent := sorted(set(dag_ids) - stack.api.dag_ids()):
        dag_id, now = absent[0], time.monotonic()
        reasons = _import_errors(stack) if now - begun > PARSE_SECONDS else ""
        ended = not stack.processes.running("dag-processor")
        if reasons or ended or now - begun > APPEAR_SECONDS:
            why = reasons or ("the DAG processor has ended" if ended else "")
            raise LocalError(
                f"the DAG {dag_id} does not appear in Airflow" + (f": {why}" if why else ""),
                hint=f"read {stack.processes.log_file('dag-processor')}",
            )
        if now - reported >= PROGRESS_SECONDS:
            reported = now
            stack.say(f"Airflow has not read {dag_id} yet ({now - begun:.0f} s)")
        time.sleep(0.5)


def _import_errors(stack: Stack) -> str:
    errors = stack.api.get("/importErrors").get("import_errors", [])
    return "; ".join(f"{e['filename']}: {e['stack_trace'].strip().splitlines()[-1]}" for e in errors)


def find(leagues: tuple[League, ...], text_given: str) -> League:
    """The league of that id, name, slug or DAG id. Raises UsageError with near matches."""
    text = text_given.strip().casefold()
    by_id = [league for league in leagues if str(league.id) == text]
    found = by_id or [league for league in leagues if text in (league.name.casefold(), league.slug, league.dag_id)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"{league.name} ({league.id})" for league in found)
        raise UsageError(f"--league {text_given!r} is the name of several leagues: {ids}", hint="give the id")
    names = {league.name.casefold(): league for league in leagues} | {league.slug: league for league in leagues}
    near = [names[name] for name in difflib.get_close_matches(text, names, n=5, cutoff=0.5)]
    near += [league for name, league in names.items() if text and text in name]
    distinct = list({league.id: league for league in near}.values())
    hint = "near" if distinct else "followed"
    listed = ", ".join(f"{league.name} ({league.id})" for league in (distinct or leagues)[:10])
    raise UsageError(
        f"--league {text_given!r} is none of the {len(leagues)} followed leagues; {hint}: {listed}",
        hint="give one of these, or add the league to ETL_LEAGUES or include/catalog.yaml",
    )


def season_ids(league: League, names: list[str]) -> list[str]:
    """Ids of the seasons given by id, name or group. Raises UsageError that lists the league's."""
    ids = []
    for text in names:
        match = [s for s in league.seasons if text.strip() in (str(s.id), s.name, s.group)]
        if not match:
            listed = ", ".join(f"{s.name} ({s.id})" for s in league.seasons[:12])
            raise UsageError(f"--season {text!r} is no season of {league.name}", hint=f"give one of these: {listed}")
        ids.append(str(match[0].id))
    return list(dict.fromkeys(ids))


def _choice_file(stack: Stack) -> Path:
    return stack.settings.home / "catalog.json"


def _choice(stack: Stack) -> dict[str, str]:
    """A hash of the settings that the manifest depends on: other settings need another manifest."""
    from sportmonks.config.settings import CATALOG_FILE

    settings = stack.settings
    text = "\n".join((settings.leagues, settings.includes, CATALOG_FILE.read_text(encoding="utf-8"), settings.base_url))
    # A sandbox with other options has other leagues.
    text += repr(settings.sandbox_args if settings.sandbox else ())
    return {"sha256": hashlib.sha256(text.encode()).hexdigest()}
