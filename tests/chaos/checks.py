"""What must hold after a scenario: the rows, the change ledger, the limits of the API and the number of requests."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from tests.chaos.league import SECTIONS
from tests.harness.canary import files_with, rows_with
from tests.harness.compare import compare, repeated_changes

if TYPE_CHECKING:
    from tests.chaos.play import ScenarioPlay

# Faults that replace values, or rows, by what nothing can read.
ODD_VALUES = ("bad_text", "odd_numbers", "odd_dates", "deep_nesting")
# Faults whose responses are wrong and look right: only a later read can tell.
UNDETECTABLE = frozenset(
    {"huge", "unknown_keys", "null_fields", "empty_strings", "degraded", "called_off", "offset_times", *ODD_VALUES}
)

# Faults after which an index may lack single fixtures.
OMITTING = frozenset({"missing_ids"})


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
        found = compare(conn, play.truth(), tombstones=tombstones, skip=skip, recreated=play.recreated)
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


def check_green(play: ScenarioPlay, execution: str, params: dict[str, Any]) -> None:
    """A run that ends green has no hole that nobody mentions.

    Each fixture that the provider has in the seasons of the run is stored, or marked as failed, missing or due to be
    read again, or in the plan of another run that has failed; unless the index of its season is suspected. A run with
    limits leaves out what its estimate mentions.
    """
    status = play.runner.query("SELECT status FROM etl.etl_executions WHERE execution_id = %s", execution)
    if status != [("COMPLETED",)] or any(name in params for name in ("max_fixtures", "max_chunks")):
        return
    mentioned = {
        row[0]
        for row in play.runner.query(
            "SELECT id FROM football.fixtures"
            " WHERE last_fetched_at IS NOT NULL OR failed_reads + missing_reads > 0 OR deleted_at IS NOT NULL"
            " UNION SELECT p.fixture_id FROM etl.execution_fixtures p JOIN etl.etl_executions e USING (execution_id)"
            " WHERE e.status = 'FAILED'"
        )
    }
    suspected = {row[0] for row in play.runner.query("SELECT season_id FROM etl.chunks WHERE doubtful_indexes > 0")}
    known = {row[0] for row in play.runner.query("SELECT id FROM football.fixtures")}
    # An index that leaves out single fixtures looks complete; they come with the next one, unless the provider has
    # deleted them by then.
    short = any(fault["kind"] in OMITTING for phase in play.scenario.phases for fault in phase.faults)
    read_at = dict(play.runner.query("SELECT season_id, extract(epoch FROM indexed_at)::float8 FROM etl.chunks"))
    holes = [
        row["id"]
        for row in play.truth(full=False)
        if row["id"] not in mentioned
        and row["season_id"] not in suspected
        and (row["id"] in known or not (short or row["deleted"]))
        # The index of a season that is over is not read by every run: a match may have been created anew since then.
        and (
            row["id"] in known
            or play.recreated_at.get(row["id"], 0.0) <= (read_at.get(row["season_id"]) or float("inf"))
        )
    ]
    play.result.holes += len(holes)
    if holes:
        play.result.problems.append(f"{execution} is green without a word on {len(holes)} fixtures, as {holes[0]}")


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
            if key not in play.deleted and key not in play.recreated and not sections & SECTIONS[kind]:
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


def check_books(play: ScenarioPlay) -> None:
    """The figures of all executions add up with the number of calls that the provider counted, and with the plans.

    A call is in the books before it is made. A process that is killed in between has counted one per fetcher that the
    provider never saw; after a crash or a silence of PostgreSQL each process may repeat a statement whose success it
    did not learn.
    """
    stats = play.runner.stats
    booked, failed, in_chunks = play.runner.query(
        "SELECT sum(api_calls)::bigint, sum(failed_calls)::bigint,"
        " (SELECT sum(api_calls)::bigint FROM etl.execution_chunks) FROM etl.etl_executions"
    )[0]
    counted = int(play.box.calls()["total"])
    fetchers = play.runner.settings.collect.fetchers
    losses = stats.crashes + sum(phase.silence is not None for phase in play.scenario.phases)
    most = counted + stats.kills * fetchers + losses * 2 * play.scenario.workers * fetchers
    if not counted <= booked <= most:
        play.result.unbooked += abs(booked - counted)
        play.result.problems.append(
            f"{booked} calls are in the books, the provider has counted {counted} (at most {most})"
        )
    if failed > booked or in_chunks > booked:
        play.result.problems.append(f"of {booked} calls {in_chunks} are in chunks and {failed} have failed")
    wrong = play.runner.query(BOOKS_AGAINST_PLANS)
    play.result.unbooked += len(wrong)
    play.result.problems += [f"the figures of an execution differ from its plan: {row}" for row in wrong[:3]]


# Executions whose figures are not those of their plans.
BOOKS_AGAINST_PLANS = """
    SELECT e.execution_id, e.processed_fixtures, e.successful_fixtures, e.failed_fixtures, e.missing_fixtures, p.*
    FROM etl.etl_executions e
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE f.status <> 'PENDING') AS processed,
               count(*) FILTER (WHERE f.status IN ('SAVED', 'UNCHANGED', 'HELD')) AS successful,
               count(*) FILTER (WHERE f.status = 'FAILED') AS failed,
               count(*) FILTER (WHERE f.status = 'MISSING') AS missing
        FROM etl.execution_fixtures f
        JOIN etl.execution_chunks c USING (execution_id, league_id, season_id)
        WHERE f.execution_id = e.execution_id AND c.status <> 'SKIPPED') p
    WHERE EXISTS (SELECT 1 FROM etl.execution_chunks c WHERE c.execution_id = e.execution_id AND c.status <> 'SKIPPED')
      AND (e.processed_fixtures, e.successful_fixtures, e.failed_fixtures, e.missing_fixtures)
          IS DISTINCT FROM (p.processed, p.successful, p.failed, p.missing)"""


def check_key(play: ScenarioPlay) -> None:
    """No table and no file of the tasks holds the key of the API."""
    with play.connect() as conn:
        found = [*rows_with(conn, play.box.key), *files_with(play.folder, play.box.key)]
    play.result.problems += [f"the key is stored: {text}" for text in found[:8]]


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
