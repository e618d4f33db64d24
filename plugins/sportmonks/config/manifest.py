"""From the catalog and the provider's leagues to the manifest: names that stay, schedules that spread out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from sportmonks.config.catalog import Catalog, TaskSettings
from sportmonks.config.old_names import present_manifest
from sportmonks.errors import ConfigurationError

# sportmonks_<slug> would be the id of a DAG of this package.
RESERVED = frozenset({"catalog", "manifest_problem"})


class Season(msgspec.Struct, frozen=True, kw_only=True):
    """A season as the manifest carries it; ``group`` is the name of its task group."""

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

    @property
    def dag_id(self) -> str:
        return f"sportmonks_{self.slug}"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the league DAGs are generated from; travels in the Variable ``sportmonks_manifest``."""

    version: Literal[2] = 2  # 1: the settings stood under ``dials``
    settings: TaskSettings = TaskSettings()
    leagues: tuple[League, ...] = ()


def decode_manifest(text: str) -> Manifest:
    """The manifest out of its Variable, also one of version 1. Raises ConfigurationError with the hint."""
    try:
        return msgspec.convert(present_manifest(msgspec.json.decode(text)), Manifest)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ConfigurationError(
            f"The Variable sportmonks_manifest cannot be read: {error}.",
            hint="Run the DAG sportmonks_catalog; it writes it anew.",
        ) from None


def slugify(name: str, fallback: str) -> str:
    """Lower-case ASCII words joined by ``_``; ``fallback`` when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    return slug or fallback


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
) -> Manifest:
    """The manifest for the followed leagues.

    ``offered``: the provider's leagues, each with ``id``, ``name`` and ``seasons`` (rows with id, name,
    is_current, starting_at). ``only`` overrides the catalog's leagues (None = all), ``includes`` its includes.
    Leagues and seasons keep the slug and group that ``previous`` gave them, and seasons are never dropped:
    a task that once ran can always be cleared. Raises ConfigurationError for a league that is not offered.
    """
    by_id = {int(row["id"]): row for row in offered}
    wanted = catalog.league_ids() if only is msgspec.UNSET else only
    unknown = [league_id for league_id in wanted or () if league_id not in by_id]
    if unknown:
        some = ", ".join(f"{row['name']} ({league_id})" for league_id, row in sorted(by_id.items())[:8])
        raise ConfigurationError(
            f"League {', '.join(map(str, unknown))} is not covered by this subscription.",
            hint=f"Correct ETL_LEAGUES or include/catalog.yaml. Covered: {some or 'none'}.",
        )
    before = {league.id: league for league in (previous.leagues if previous else ())}
    follow = sorted(by_id) if wanted is None else list(wanted)
    taken = {*RESERVED} | {before[league_id].slug for league_id in follow if league_id in before}
    leagues = []
    for position, league_id in enumerate(follow):
        row, old = by_id[league_id], before.get(league_id)
        slug = old.slug if old else _free(slugify(str(row["name"]), f"league_{league_id}"), taken, league_id)
        taken.add(slug)
        choice = catalog.choice(league_id)
        leagues.append(
            League(
                id=league_id,
                name=str(row["name"]),
                slug=slug,
                schedule=(
                    daily_schedule(catalog.daily_at, catalog.stagger_minutes, position)
                    if isinstance(choice.schedule, msgspec.UnsetType)
                    else choice.schedule
                ),
                deadline_minutes=choice.deadline_minutes or catalog.deadline_minutes,
                includes=choice.includes or includes or catalog.includes,
                seasons=_seasons(row.get("seasons") or (), old.seasons if old else ()),
            )
        )
    fields = {name: getattr(catalog, name) for name in TaskSettings.__struct_fields__}
    return Manifest(settings=TaskSettings(**fields), leagues=tuple(leagues))


def _seasons(rows: Iterable[Mapping[str, Any]], old: tuple[Season, ...]) -> tuple[Season, ...]:
    """Newest first. Seasons that the provider no longer lists stay, behind, and are never current."""
    known = {season.id: season for season in old}
    taken = {season.group for season in old}
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
        seasons.append(Season(id=season_id, name=name, group=group, is_current=bool(row.get("is_current"))))
    seasons += [msgspec.structs.replace(season, is_current=False) for season in known.values()]
    return tuple(seasons)


def _free(name: str, taken: set[str], number: int) -> str:
    """``name``, with ``number`` behind it (as often as it takes) where it is taken."""
    while name in taken:
        name = f"{name}_{number}"
    return name
