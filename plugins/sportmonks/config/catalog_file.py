"""Reads ``include/catalog.yaml``: text in, a checked :class:`Catalog` out."""

from __future__ import annotations

from sportmonks.config.catalog import Catalog, LeagueChoice
from sportmonks.config.old_names import RENAMED
from sportmonks.config.settings import parse_includes
from sportmonks.config.strict_yaml import Document
from sportmonks.errors import ConfigurationError


def parse_catalog(text: str, *, file: str = "include/catalog.yaml") -> Catalog:
    """The catalog in ``text``. Raises ConfigurationError that names file, line and key of every mistake.

    Types and bounds come from the structures; rules between several values are checked here once these are right.
    """
    document = Document(text, file, start="See the comments in the file.", old_names=RENAMED)
    catalog = document.fill(Catalog)
    collect, schedule = catalog.collect, catalog.recheck.schedule_hours
    if collect.batch_size > collect.max_batch_size:
        problem = f"is {collect.batch_size}, over collect.max_batch_size {collect.max_batch_size}"
        document.wrong("collect.batch_size", problem, "Lower it.")
    if not schedule or list(schedule) != sorted(set(schedule)) or schedule[0] <= 0:
        document.wrong("recheck.schedule_hours", f"is {list(schedule)}", "List rising hours above 0.")
    _check_includes(document, "includes", catalog.includes)
    _check_leagues(document, catalog)
    document.raise_mistakes()
    return catalog


def _check_leagues(document: Document, catalog: Catalog) -> None:
    ids = catalog.league_ids()
    if ids is None:
        return
    if not ids:
        document.wrong("leagues", "is empty", "List league ids, or write: all.")
    for place, league_id in enumerate(ids):
        if league_id <= 0:
            document.wrong(f"leagues[{place}]", f"is {league_id}", "League ids are positive.")
        if league_id in ids[:place]:
            document.wrong(f"leagues[{place}]", f"names league {league_id} a second time", "Keep one of the two.")
    for place, entry in enumerate(catalog.leagues):
        if isinstance(entry, LeagueChoice):
            _check_choice(document, f"leagues[{place}]", entry)


def _check_choice(document: Document, key: str, choice: LeagueChoice) -> None:
    from croniter import croniter  # type: ignore[import-untyped]  # here, because DAG files must not import it

    if isinstance(choice.schedule, str) and not croniter.is_valid(choice.schedule):
        document.wrong(
            f"{key}.schedule",
            f"is '{choice.schedule}', which is no cron expression",
            'Write one such as "30 6 * * *" (UTC), or null for no schedule.',
        )
    if choice.includes is not None:
        _check_includes(document, f"{key}.includes", choice.includes)


def _check_includes(document: Document, key: str, includes: tuple[str, ...]) -> None:
    if not includes:
        document.wrong(key, "is empty", "Name at least one include, or leave the key out.")
    try:
        parse_includes(";".join(includes), name=key)
    except ConfigurationError as error:
        document.wrong(key, error.message.removeprefix(f"{key}: ").removesuffix("."), error.hint)
