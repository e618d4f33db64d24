"""When and why a fixture is read (again): one pure function over what is known of it.

There is no feed of changes, so finished matches are re-read on a falling schedule (the ladder) and compared by
content hash. Every reason has a priority; a chunk's priority is the sum over its due fixtures.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sportmonks.config.catalog import GuardSettings, RecheckSettings

NOT_STARTED = 1
LIVE = frozenset({2, 3, 4, 6, 9, 21, 22, 23, 25})
PLAYED = frozenset({5, 7, 8})  # to the end: full time, extra time, penalties
FINISHED = PLAYED | {14, 17}
ENDED_WITHOUT_RESULT = frozenset({12, 15})
DELETED = 20
WAITING = frozenset({16, 18, 19, 26})  # delayed, interrupted, awaiting updates, pending: soon to change
UNSETTLED = frozenset({10, 11, 13})  # postponed, suspended, to be announced
NOT_BEGUN = frozenset({NOT_STARTED, 10, 13, 16})  # or put off before it did
KNOWN = frozenset({NOT_STARTED, DELETED}) | LIVE | FINISHED | ENDED_WITHOUT_RESULT | WAITING | UNSETTLED

PRIORITIES = {
    "live": 100,
    "just_finished": 95,
    "changed_in_index": 90,
    "recheck_1h": 80,
    "held": 75,
    "never_collected": 60,
    "waiting": 55,
    "recheck_1d": 50,
    "gone_from_index": 45,
    "unknown_state": 40,
    "recheck_7d": 30,
    "missing": 28,
    "unsettled": 25,
    "recheck_30d": 20,
    "failed": 15,
    "includes_added": 12,
    "aged": 10,
    "forced": 5,
}
# These may use the reserve of the budget: today's work, not history.
URGENT = frozenset({"live", "just_finished", "changed_in_index", "recheck_1h", "held", "waiting", "recheck_1d"})
RECENT = timedelta(days=7)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FixtureState:
    """What is known of a fixture. All times timezone-aware."""

    state_id: int | None = None
    starting_at: datetime | None = None
    ended_at: datetime | None = None
    status: str = "PENDING"
    last_fetched_at: datetime | None = None  # last answer that held the fixture
    last_requested_at: datetime | None = None
    unchanged_reads: int = 0
    held_reads: int = 0
    missing_reads: int = 0
    failed_reads: int = 0
    index_changed_at: datetime | None = None
    index_missing_at: datetime | None = None
    lacks_includes: bool = False  # read without a section that is asked for by now


@dataclass(frozen=True, slots=True)
class Due:
    """The next read: not before ``at``, because of ``reason``."""

    at: datetime
    reason: str
    priority: int
    urgent: bool


def next_due(facts: FixtureState, settings: RecheckSettings, guard: GuardSettings, now: datetime) -> Due | None:
    """The next read of a fixture, None when there is none to come (a tombstone).

    The reason may depend on ``now`` only through how recent a match is; ``at`` does not move with the clock
    unless the read is due already.
    """
    if facts.status == "DELETED":
        return None
    asked = facts.last_requested_at or facts.last_fetched_at
    if asked and facts.index_changed_at and facts.index_changed_at > asked:
        return _due(facts.index_changed_at, "changed_in_index")
    if facts.state_id == DELETED and facts.last_fetched_at:
        return None
    if asked and (facts.failed_reads or facts.missing_reads):
        return _after_trouble(facts, settings, asked)
    if facts.last_fetched_at is None:
        recent = facts.starting_at is not None and abs(now - facts.starting_at) <= RECENT
        return Due(now, "never_collected", PRIORITIES["never_collected"] if recent else 35, recent)
    fetched = facts.last_fetched_at
    if facts.held_reads:
        return _due(fetched + timedelta(hours=guard.hours), "held")
    if facts.index_changed_at and facts.index_changed_at > fetched:
        return _due(facts.index_changed_at, "changed_in_index")
    if facts.index_missing_at and facts.index_missing_at > fetched:
        return _due(facts.index_missing_at, "gone_from_index")
    due, oldest = _by_state(facts, fetched, settings), fetched + timedelta(days=settings.max_age_days)
    due = due if due.at <= oldest else _due(oldest, "aged")
    return _due(now, "includes_added") if facts.lacks_includes and due.at > now else due


def _by_state(facts: FixtureState, fetched: datetime, settings: RecheckSettings) -> Due:
    state, end = facts.state_id, end_of(facts, settings)
    if state in FINISHED or state in ENDED_WITHOUT_RESULT:
        return _ladder(facts, fetched, end, settings)
    if end is None or fetched < end + DAY:
        if state in LIVE:
            return _due(fetched + timedelta(minutes=settings.live_minutes), "live")
        if state == NOT_STARTED and end is not None and fetched < end:
            return _due(end, "just_finished")
        # Its kick-off has passed and the provider still says "not started".
        if state in WAITING or (state == NOT_STARTED and end is not None):
            return _due(fetched + timedelta(hours=settings.waiting_hours), "waiting")
    return _unsettled(facts, fetched, settings)


def _unsettled(facts: FixtureState, fetched: datetime, settings: RecheckSettings) -> Due:
    """No end in sight, and perhaps never one: old seasons hold matches that stand as postponed, or even as live, for
    ever. So patience doubles while nothing changes; a new date or state shows in the index."""
    times = max(facts.unchanged_reads - settings.quiet_reads + 1, 0)
    longest = max(settings.schedule_hours[-1], settings.unsettled_hours)
    hours = min(settings.unsettled_hours * 2 ** min(times, 20), longest)
    return _due(fetched + timedelta(hours=hours), "unsettled" if facts.state_id in KNOWN else "unknown_state")


def _ladder(facts: FixtureState, fetched: datetime, end: datetime | None, settings: RecheckSettings) -> Due:
    """The lowest rung not climbed yet; behind the last one the slow sweep by age. Unchanged re-reads skip schedule, but
    none of the first day, in which most corrections come."""
    if end is not None:
        quiet = facts.unchanged_reads >= settings.quiet_reads
        for hours in settings.schedule_hours:
            moment = end + timedelta(hours=hours)
            skipped = quiet and 24 < hours < settings.schedule_hours[-1]
            if fetched < moment and not skipped:
                return _due(moment, _rung_name(hours))
    return _due(fetched + timedelta(days=settings.max_age_days), "aged")


def _after_trouble(facts: FixtureState, settings: RecheckSettings, asked: datetime) -> Due:
    """Failed or missing reads come again with doubling patience, whatever the state."""
    times = max(facts.failed_reads, facts.missing_reads)
    hours = min(settings.failed_hours * 2 ** min(times - 1, 20), settings.failed_max_hours)
    return _due(asked + timedelta(hours=hours), "failed" if facts.failed_reads else "missing")


def end_of(facts: FixtureState, settings: RecheckSettings) -> datetime | None:
    """The end of the match: as the periods tell it, else by the kick-off; None without either."""
    if facts.ended_at is not None:
        return facts.ended_at
    return facts.starting_at + timedelta(hours=settings.match_hours) if facts.starting_at else None


def _rung_name(hours: float) -> str:
    for limit, name in ((6, "recheck_1h"), (72, "recheck_1d"), (336, "recheck_7d")):
        if hours < limit:
            return name
    return "recheck_30d"


def _due(at: datetime, reason: str) -> Due:
    return Due(at, reason, PRIORITIES[reason], reason in URGENT)
