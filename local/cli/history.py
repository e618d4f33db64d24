"""How much `./etl demo` collects with a real key: it estimates all history and asks before it spends the calls."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from local.cli.arguments import choice
from local.cli.questions import choose, interactive
from local.cli.runs import Plan, report, run_plans
from local.errors import LocalError
from local.stack.stack import Stack

if TYPE_CHECKING:
    from sportmonks.config.manifest import League

CURRENT, ALL, NOTHING = "current", "all", "nothing"
SCOPES = (CURRENT, ALL)


def configure_history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seasons", metavar="WHICH", help="current or all, without a question (default without a key: all)"
    )


def chosen_scope(args: argparse.Namespace) -> str | None:
    """What `--seasons` says. UsageError for anything else than its two words."""
    return None if args.seasons is None else choice("--seasons", args.seasons, SCOPES)


def plans_of(args: argparse.Namespace, stack: Stack, leagues: tuple[League, ...]) -> list[Plan]:
    """The runs to start. The sandbox has no calls to spare; with a real key a person chooses, `--yes` takes the current
    seasons, and so does a program that cannot answer."""
    scope = chosen_scope(args)
    if scope is None and stack.settings.sandbox:
        scope = ALL
    elif scope is None and (args.yes or not interactive()):
        scope = CURRENT
        stack.say("the current seasons are collected; --seasons all collects every season now")
    if scope is None:
        scope = _ask(args, stack, leagues)
    if scope == NOTHING:
        return []
    return [Plan(league, _current(league) if scope == CURRENT else {}) for league in leagues]


def _current(league: League) -> dict[str, Any]:
    """The parameters for the current season, or for the newest one where none is current."""
    seasons = [season for season in league.seasons if season.is_current] or list(league.seasons[:1])
    return {"seasons": [str(season.id) for season in seasons]} if seasons else {}


def _ask(args: argparse.Namespace, stack: Stack, leagues: tuple[League, ...]) -> str:
    stack.say("what all history would cost is estimated from the indexes of the seasons; nothing is collected yet")
    runs, good = run_plans(stack, [Plan(league, {"dry_run": True}) for league in leagues])
    documents = report(stack, runs, 0.0, tables=False)
    if not good:
        raise LocalError("the estimate has failed", hint="see above; ./etl demo --seasons current needs none")
    current = {int(season) for league in leagues for season in _current(league).get("seasons", [])}
    question, choices = history_question([row["estimate"] or {} for row in documents], current)
    return choose(question, choices)


def history_question(estimates: list[dict[str, Any]], current: set[int]) -> tuple[str, list[tuple[str, str]]]:
    """The question and its choices, the first one being the smaller step. `current`: ids of the current seasons."""
    chunks = [chunk for estimate in estimates for chunk in estimate.get("chunks") or []]
    now = [chunk for chunk in chunks if chunk.get("season_id") in current]
    minutes = sum(float(estimate.get("minutes") or 0) for estimate in estimates)
    return (
        "How much is collected now? What is left is collected by the daily runs, at the times of the catalog.",
        [
            (CURRENT, f"the current seasons: {_cost(now)}"),
            (ALL, f"all {len(chunks)} seasons: {_cost(chunks)}, about {_minutes(minutes)} until the plan grants them"),
            (NOTHING, "nothing now"),
        ],
    )


def _cost(chunks: list[dict[str, Any]]) -> str:
    fixtures, calls = (sum(int(chunk.get(name) or 0) for chunk in chunks) for name in ("fixtures", "calls"))
    return f"{fixtures:,} fixtures in {calls:,} calls"


def _minutes(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
