"""Reads ``include/catalog.yaml``: text in, a checked :class:`Catalog` out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Any

import msgspec
import yaml

from sportmonks.config.catalog import (
    BudgetSettings,
    Catalog,
    CollectSettings,
    GuardSettings,
    LeagueChoice,
    RecheckSettings,
    SweepSettings,
    Thresholds,
)
from sportmonks.config.old_names import rename_keys, rename_settings
from sportmonks.config.settings import parse_includes
from sportmonks.errors import ConfigurationError

_BOUNDS: dict[str, tuple[float, float]] = {
    "collect.batch_size": (1, 1000),
    "collect.max_batch_size": (1, 1000),
    "collect.fetchers": (1, 8),
    "collect.writers": (1, 4),
    "collect.in_flight": (1, 32),
    "recheck.max_age_days": (0, 100_000),
    "recheck.match_hours": (0.5, 12),
    "recheck.quiet_reads": (1, 100),
    "recheck.live_minutes": (0, 1440),
    "recheck.waiting_hours": (0.01, 1000),
    "recheck.unsettled_hours": (0.01, 10_000),
    "recheck.failed_hours": (0.001, 10_000),
    "recheck.failed_max_hours": (0.001, 100_000),
    "guard.keep_share": (0, 1),
    "guard.min_rows": (0, 1000),
    "guard.rereads": (1, 100),
    "guard.hours": (0, 1000),
    "budget.reserve": (0, 0.9),
    "budget.max_inline_wait_seconds": (0, 600),
    "budget.default_limit": (1, 1_000_000),
    "budget.window_seconds": (1, 86_400),
    "sweep.daily_seasons": (1, 1000),
    "sweep.weekly_seasons": (1, 1000),
    "sweep.all_days": (1, 10_000),
    "sweep.structure_seasons_per_run": (0, 10_000),
    "stagger_minutes": (0, 60),
    "deadline_minutes": (1, 1440),
    "retries": (0, 20),
    "retry_delay_seconds": (0, 86_400),
}


# Key, problem and hint -> the error that also names file and line.
Refuse = Callable[[str, str, str], ConfigurationError]


def parse_catalog(text: str, *, file: str = "include/catalog.yaml") -> Catalog:
    """Read and check the catalog. Raises ConfigurationError naming file, line and key."""
    try:
        data = yaml.safe_load(text)
        data = {} if data is None else data
        node = yaml.compose(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}, line {mark.line + 1}" if mark else file
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigurationError(f"{place}: not valid YAML ({problem}).", hint="Correct that line.") from None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ConfigurationError(f"{file}: expected keys and values.", hint="See the comments in the file.")
    rename_keys(node)
    _refuse_repeated_keys(node, file)
    data = rename_settings(data)
    try:
        catalog = msgspec.convert(data, Catalog)
    except msgspec.ValidationError as error:
        raise _readable(str(error), data, node, file) from None
    _check_values(catalog, node, file)
    return catalog


def _check_values(catalog: Catalog, node: yaml.Node | None, file: str) -> None:
    def refuse(key: str, problem: str, hint: str) -> ConfigurationError:
        return ConfigurationError(f"{_place(file, node, key)}: {key} {problem}.", hint=hint)

    for key, (low, high) in _BOUNDS.items():
        value: Any = catalog
        for part in key.split("."):
            value = getattr(value, part)
        if not low <= value <= high:
            raise refuse(key, f"is {value}", f"Choose a value from {low:g} to {high:g}.")
    if catalog.collect.batch_size > catalog.collect.max_batch_size:
        raise refuse(
            "collect.batch_size",
            f"is {catalog.collect.batch_size}, over collect.max_batch_size {catalog.collect.max_batch_size}",
            "Lower it.",
        )
    try:
        Thresholds.from_mapping(catalog.alerts)
    except ConfigurationError as error:
        key = re.split(r"[: ]", error.message, maxsplit=1)[0]
        raise ConfigurationError(f"{_place(file, node, key)}: {error.message}", hint=error.hint) from None
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", catalog.daily_at):
        raise refuse("daily_at", f"is '{catalog.daily_at}'", "Write a UTC time as HH:MM, in quotes.")
    schedule = catalog.recheck.schedule_hours
    if not schedule or list(schedule) != sorted(set(schedule)) or schedule[0] <= 0:
        raise refuse("recheck.schedule_hours", f"is {list(schedule)}", "List rising hours above 0.")
    _check_includes("includes", catalog.includes, refuse)
    ids = catalog.league_ids()
    if ids is None:
        return
    if not ids:
        raise refuse("leagues", "is empty", "List league ids, or write: all.")
    for place, league_id in enumerate(ids):
        if league_id <= 0:
            raise refuse(f"leagues[{place}]", f"is {league_id}", "League ids are positive.")
        if league_id in ids[:place]:
            raise refuse(f"leagues[{place}]", f"names league {league_id} a second time", "Keep one of the two.")
    for place, entry in enumerate(catalog.leagues):
        if isinstance(entry, LeagueChoice):
            _check_choice(f"leagues[{place}]", entry, refuse)


def _check_choice(key: str, choice: LeagueChoice, refuse: Refuse) -> None:
    from croniter import croniter  # type: ignore[import-untyped]  # here: parsing a DAG needs none of it

    low, high = _BOUNDS["deadline_minutes"]
    if choice.deadline_minutes is not None and not low <= choice.deadline_minutes <= high:
        raise refuse(
            f"{key}.deadline_minutes", f"is {choice.deadline_minutes}", f"Choose a value from {low:g} to {high:g}."
        )
    if isinstance(choice.schedule, str) and not croniter.is_valid(choice.schedule):
        raise refuse(
            f"{key}.schedule",
            f"is '{choice.schedule}', which is no cron expression",
            'Write one such as "30 6 * * *" (UTC), or null for no schedule.',
        )
    if choice.includes is not None:
        _check_includes(f"{key}.includes", choice.includes, refuse)


def _check_includes(key: str, includes: tuple[str, ...], refuse: Refuse) -> None:
    if not includes:
        raise refuse(key, "is empty", "Name at least one include, or leave the key out.")
    try:
        parse_includes(";".join(includes), name=key)
    except ConfigurationError as error:
        raise refuse(key, error.message.removeprefix(f"{key}: "), error.hint) from None


def _refuse_repeated_keys(node: yaml.Node | None, file: str) -> None:
    """YAML lets the last of two equal keys win, silently."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ConfigurationError(
                    f"{file}, line {key.start_mark.line + 1}: {key.value} stands here a second time.",
                    hint="Keep one of the two.",
                )
            seen.add(key.value)
            _refuse_repeated_keys(value, file)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_keys(item, file)


def _readable(message: str, data: dict[str, Any], node: yaml.Node | None, file: str) -> ConfigurationError:
    """msgspec's message with the line, and the nearest key for an unknown one."""
    problem, _, path = message.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    unknown = re.search(r"unknown field `([^`]+)`", problem)
    if unknown:
        known: list[str] = list(Catalog.__struct_fields__)
        head = key.split(".")[0].split("[")[0]
        for struct in (CollectSettings, RecheckSettings, GuardSettings, BudgetSettings, SweepSettings):
            if struct.__name__.removesuffix("Settings").lower() == head:
                known = list(struct.__struct_fields__)
        if head == "leagues":
            known = list(LeagueChoice.__struct_fields__)
        near = difflib.get_close_matches(unknown[1], known, n=1)
        full = f"{key}.{unknown[1]}" if key else unknown[1]
        hint = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(sorted(known))}."
        return ConfigurationError(f"{_place(file, node, full)}: there is no setting {full}.", hint=hint)
    hint = "Write leagues: all, or a list of ids." if key.startswith("leagues") else "See the comments in the file."
    return ConfigurationError(f"{_place(file, node, key)}: {key or 'the file'}: {problem}.", hint=hint)


def _place(file: str, node: yaml.Node | None, key: str) -> str:
    """``file, line N`` of a dotted key, as deep as it can be followed."""
    line: int | None = None
    for part in re.findall(r"[^.\[\]]+", key):
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == part]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        else:
            break
    return f"{file}, line {line}" if line else file
