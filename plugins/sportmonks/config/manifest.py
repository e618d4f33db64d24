"""The manifest: followed leagues with their seasons and settings, from which the league DAGs are generated.

It is built from the catalog and the provider's leagues. Names of DAGs and task groups stay the same from one manifest
to the next, and the leagues' schedules are spread over time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from sportmonks.coerce import as_bool
from sportmonks.config.catalog import Catalog, TaskSettings
from sportmonks.config.old_names import present_manifest
from sportmonks.errors import ConfigurationError

VERSION: Final = 2
# The ids of DAGs, task groups and tasks are made of slugs; Airflow takes 200 characters for that of a group.
LONGEST_SLUG = 100
REWRITE_HINT = "Run the DAG sportmonks_catalog; it writes the manifest anew."
# sportmonks_<slug> would be the id of a DAG of this package.
RESERVED = frozenset({"catalog", "manifest_problem"})


class Season(msgspec.Struct, frozen=True, kw_only=True):
    """A season of a league; ``group`` is the name of its task group."""

    id: int
    name: str
    group: str
    is_current: bool = False


class League(msgspec.Struct, frozen=True, kw_only=True):
    """A followed league; seasons newest first."""

    id: int
    name: str
    slug: str
    schedule: str | None
    deadline_minutes: int
    includes: tuple[str, ...]
    seasons: tuple[Season, ...] = ()
    country: str = ""  # its name; empty where the API does not say it, and in older manifests

    @property
    def dag_id(self) -> str:
        return f"sportmonks_{self.slug}"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the league DAGs are generated from; stored as JSON in the Variable ``sportmonks_manifest``."""

    version: Literal[2] = VERSION  # version 1 had other names, see old_names
    settings: TaskSettings = TaskSettings()
    leagues: tuple[League, ...] = ()
    source: str = ""  # the API that lists these leagues (host and path, or "sandbox"); empty in older manifests


def decode_manifest(text: str) -> Manifest:
    """The manifest from the text of its Variable, also one of version 1. Raises ConfigurationError."""
    try:
        return msgspec.convert(_present(text), Manifest)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise _unreadable(f"{error}.") from None


def salvage_manifest(text: str) -> tuple[Manifest, list[str]]:
    """The leagues of a manifest that can be read, and a sentence for each one that cannot.

    Raises ConfigurationError when there is nothing to salvage: no league or no settings can be read.
    """
    try:
        raw = _present(text)
        entries = raw["leagues"]
        settings = msgspec.convert(raw["settings"], TaskSettings)
        leagues, problems = [], []
        for place, entry in enumerate(entries):
            try:
                leagues.append(msgspec.convert(entry, League))
            except msgspec.ValidationError as error:
                name = entry.get("name") if isinstance(entry, dict) else None
                problems.append(f"League {name or f'number {place + 1}'}: {error}.")
    except (msgspec.MsgspecError, UnicodeError, KeyError, TypeError) as error:
        raise _unreadable(f"{error}.") from None
    if not leagues:
        raise _unreadable(" ".join(problems) or "it has no leagues.")
    return Manifest(settings=settings, leagues=tuple(leagues)), problems


def _present(text: str) -> Any:
    """The decoded manifest in the form of the present version. Raises ConfigurationError for a newer one."""
    raw = present_manifest(msgspec.json.decode(text))
    version = raw.get("version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise _unreadable(f"it has version {version}, and this release of the package reads versions up to {VERSION}.")
    return raw


def _unreadable(reason: str) -> ConfigurationError:
    return ConfigurationError(f"The Variable sportmonks_manifest cannot be read: {reason}", hint=REWRITE_HINT)


def slugify(name: str, fallback: str) -> str:
    """Lower-case ASCII words joined by ``_``, cut to ``LONGEST_SLUG``; ``fallback`` when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    return slug[:LONGEST_SLUG].strip("_") or fallback


def daily_schedule(daily_at: str, stagger_minutes: int, position: int) -> str:
    """Cron expression of the league at ``position``: the base time plus its share of the stagger."""
    hour, minute = (int(part) for part in daily_at.split(":"))
    total = (hour * 60 + minute + position * stagger_minutes) % 1440
    return f"{total % 60} {total // 60} * * *"


def build_manifest(
    catalog: Catalog,
    offered: Iterable[Mapping[str, Any]],
    previous: Manifest | None = None,
    *,
    only: tuple[int, ...] | msgspec.UnsetType | None = msgspec.UNSET,
    includes: tuple[str, ...] | None = None,
    source: str = "",
    keep: Iterable[int] = (),
) -> Manifest:
    """The manifest for the followed leagues.

    ``offered``: the provider's leagues, each with ``id``, ``name`` and ``seasons`` (rows with id, name,
    is_current, starting_at). ``only`` overrides the catalog's leagues (None = all), ``includes`` its includes.
    Leagues and seasons keep the slug and group that ``previous`` gave them, and seasons are never dropped:
    a task that once ran can always be cleared. A ``previous`` manifest of another API than ``source`` counts as none,
    because its seasons do not exist here. Leagues of ``previous`` in ``keep`` stay as they are when they are not
    offered, and a league that comes without seasons keeps those it had. Raises ConfigurationError for a league that is
    not offered.
    """
    if previous is not None and previous.source and source and previous.source != source:
        previous = None
    by_id = {int(row["id"]): row for row in offered}
    chosen = catalog.league_ids() if only is msgspec.UNSET else only
    unknown = [league_id for league_id in chosen or () if league_id not in by_id]
    if unknown:
        some = ", ".join(f"{row.get('name')} ({league_id})" for league_id, row in sorted(by_id.items())[:8])
        raise ConfigurationError(
            f"League {', '.join(map(str, unknown))} is not covered by this subscription.",
            hint=f"Correct ETL_LEAGUES or include/catalog.yaml. Covered: {some or 'none'}.",
        )
    before = {league.id: league for league in (previous.leagues if previous else ())}
    kept = {league_id: before[league_id] for league_id in keep if league_id in before and league_id not in by_id}
    follow = sorted({*by_id, *kept}) if chosen is None else list(chosen)
    taken = {*RESERVED} | {before[league_id].slug for league_id in follow if league_id in before}
    leagues = []
    for position, league_id in enumerate(follow):
        if league_id in kept:
            leagues.append(kept[league_id])
            continue
        row, known = by_id[league_id], before.get(league_id)
        name = str(row.get("name") or f"League {league_id}")
        slug = known.slug if known else _free(slugify(name, f"league_{league_id}"), taken, league_id)
        taken.add(slug)
        choice = catalog.choice(league_id)
        leagues.append(
            League(
                id=league_id,
                name=name,
                slug=slug,
                schedule=(
                    daily_schedule(catalog.daily_at, catalog.stagger_minutes, position)
                    if isinstance(choice.schedule, msgspec.UnsetType)
                    else choice.schedule
                ),
                deadline_minutes=choice.deadline_minutes or catalog.deadline_minutes,
                includes=choice.includes or includes or catalog.includes,
                seasons=_seasons(row.get("seasons") or (), known.seasons if known else ()),
                country=_country(row) or (known.country if known else ""),
            )
        )
    fields = {name: getattr(catalog, name) for name in TaskSettings.__struct_fields__}
    return Manifest(settings=TaskSettings(**fields), leagues=tuple(leagues), source=source)


def _country(row: Mapping[str, Any]) -> str:
    """The name of the league's country, short enough for a tag; empty where the API does not say it."""
    country = row.get("country")
    name = country.get("name") if isinstance(country, Mapping) else None
    return name.strip()[:50] if isinstance(name, str) else ""


def _seasons(rows: Iterable[Mapping[str, Any]], previous: tuple[Season, ...]) -> tuple[Season, ...]:
    """Newest first; seasons that the provider no longer lists stay at the end and are never current. A list without
    any season is taken for an accident: what is known stays."""
    rows = list(rows)
    if not rows:
        return previous
    known = {season.id: season for season in previous}
    taken = {season.group for season in previous}
    listed = sorted(
        rows,
        key=lambda row: (str(row.get("starting_at") or row.get("name") or ""), int(row["id"])),
        reverse=True,
    )
    seasons = []
    for row in listed:
        season_id, name = int(row["id"]), str(row.get("name") or row["id"])
        before = known.pop(season_id, None)
        group = before.group if before else _free(f"season_{slugify(name, str(season_id))}", taken, season_id)
        taken.add(group)
        seasons.append(Season(id=season_id, name=name, group=group, is_current=as_bool(row.get("is_current")) is True))
    seasons += [msgspec.structs.replace(season, is_current=False) for season in known.values()]
    return tuple(seasons)


def _free(name: str, taken: set[str], number: int) -> str:
    """``name`` where it is free, else with ``number`` appended until it is."""
    while name in taken:
        name = f"{name}_{number}"
    return name
