"""What must hold after a scenario: the rows, the change ledger, the limits of the API and the number of requests."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.chaos.league import SECTIONS
from tests.harness.compare import compare, repeated_changes

if TYPE_CHECKING:
    from tests.chaos.play import ScenarioPlay

# Faults that replace values, or rows, by what nothing can read.
ODD_VALUES = ("bad_text", "odd_numbers", "odd_dates", "deep_nesting")
# Faults whose responses are wrong and look right: only a later read can tell.
UNDETECTABLE = frozenset({"huge", "unknown_keys", "null_fields", "empty_strings", "degraded", *ODD_VALUES})


def not_due_yet(play: ScenarioPlay) -> frozenset[int]:
    """Fixtures that the recheck schedule need not have read again yet.

    These are the corrected ones, and all of them when a fault of the scenario cannot be detected.
    """
    undetected = any(fault["kind"] in UNDETECTABLE for phase in play.scenario.phases for fault in phase.faults)
    return frozenset(row["id"] for row in play.truth(full=False)) if undetected else frozenset(play.uncertain)


def check_rows(play: ScenarioPlay, when: str, skip: frozenset[int]) -> None:
    """Every row is in the warehouse as the sandbox has it, but those of the fixtures in ``skip``."""
    with play.connect() as conn:
        # A clock that goes back takes a fixture back to before its deletion: it is read anew, then deleted again.
        tombstones = {} if play.clock_went_back() else play.tombstones
        found = compare(conn, play.truth(), tombstones=tombstones, skip=skip)
        repeated = repeated_changes(conn)
        unfinished = conn.execute("SELECT count(*) FROM etl.etl_executions WHERE status = 'RUNNING'").fetchone()
    result = play.result
    result.lost = max(result.lost, len(found.lost))
    result.duplicates = max(result.duplicates, len(found.duplicates) + len(repeated))
    result.wrong = max(result.wrong, len(found.wrong))
    texts = [*found.all(), *repeated]
    if unfinished and unfinished[0]:
        texts.append(f"{unfinished[0]} executions are still RUNNING")
    result.problems += [f"{when}: {text}" for text in texts[:8]]
    result.fixtures = len(play.truth(full=False))


def check_ledger(play: ScenarioPlay) -> None:
    """Every correction made after the first read is in the change ledger, in the section it belongs to."""
    recorded: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for key, section, number in play.runner.query("SELECT fixture_id, section, change_id FROM etl.fixture_changes"):
        recorded[key].append((number, section))
    # A clock that goes back takes a match back to before its extra time: then there is no change to record.
    back = play.clock_went_back()
    for key, changes in play.corrected.items():
        for newest, kind in changes:
            if kind == "state_extended" and back:
                continue
            sections = {section for number, section in recorded[key] if number > newest}
            if key not in play.deleted and not sections & SECTIONS[kind]:
                play.result.unrecorded += 1
                play.result.problems.append(f"{kind} of fixture {key} is not in the ledger: {sorted(sections)}")


def check_calls(play: ScenarioPlay) -> None:
    """No call was made while the API had reported that none remained."""
    calls = play.box.calls()
    play.result.over_quota = calls["calls_after_remaining_zero"]
    if play.result.over_quota and not play.misled():
        play.result.problems.append(f"{play.result.over_quota} calls though nothing was known to remain")
    if play.misled():
        play.result.over_quota = 0


def check_fetched_twice(play: ScenarioPlay) -> None:
    """A process that is killed loses at most one batch: the one it had requested and not stored."""
    result, stats = play.result, play.runner.stats
    result.kills, result.crashes = stats.kills, stats.crashes
    latest: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
    lost: set[tuple[int, int]] = set()
    file = play.folder / "requests.jsonl"
    for number, line in enumerate(file.read_text().splitlines() if file.exists() else ()):
        note = json.loads(line)
        requested = latest[note["execution"]]
        if note["what"] == "planned":
            requested.clear()
        for fixture_id in note["ids"]:
            if note["what"] == "requested":
                if fixture_id in requested:
                    lost.add(requested[fixture_id])
                requested[fixture_id] = (note["pid"], number)
            elif note["what"] in ("failed", "missing"):
                requested.pop(fixture_id, None)
    by_process = Counter(pid for pid, _ in lost)
    result.fetched_twice = len(lost)
    result.most_fetched_twice = max(by_process.values(), default=0)
    if result.most_fetched_twice > 1:
        result.problems.append(f"a process lost {result.most_fetched_twice} fetched batches")
    if len(by_process) > stats.kills + len(stats.failures):
        result.problems.append(f"{len(by_process)} processes lost a batch, {stats.kills} were killed")
