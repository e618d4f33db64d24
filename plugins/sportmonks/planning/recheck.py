"""When and why a fixture is read for the first time or read again: one pure function over what is known of it.

The API has no feed of changes, so finished matches are read again at growing intervals (the recheck schedule) and
compared by content hash. Every reason has a priority; the priority of a chunk is the sum over its due fixtures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sportmonks.config.catalog import GuardSettings, RecheckSettings
from sportmonks.planning.states import (
    DELETED,
    ENDED_WITHOUT_RESULT,
    FINISHED,
    KNOWN,
    LIVE,
    NOT_STARTED,
    WAITING,
)

# The keys are stored in plans and in football.fixtures.due_reason.
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
# Priority of "never_collected" for a match that is not RECENT.
HISTORY_PRIORITY = 35
# Reads for these reasons may use the reserve of the call budget, because they concern matches of today.
URGENT = frozenset({"live", "just_finished", "changed_in_index", "recheck_1h", "held", "waiting", "recheck_1d"})
RECENT = timedelta(days=7)
DAY = timedelta(days=1)
CLOCK_TOLERANCE = timedelta(minutes=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_LOOK_HOURS = 168.0
# A placeholder for an unknown date may be the last day that datetime can hold, to which nothing can be added.
LATEST_END = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FixtureState:
    """What is known of a fixture before it is read. All times are timezone-aware.

    ``status``: the fixture's ``collection_status``. ``unchanged_reads``, ``held_reads``, ``missing_reads`` and
    ``failed_reads`` count consecutive reads with that outcome.
    """

    state_id: int | None = None
    starting_at: datetime | None = None
    ended_at: datetime | None = None
    status: str = "PENDING"
    last_fetched_at: datetime | None = None  # the last response that contained the fixture
    last_requested_at: datetime | None = None
    unchanged_reads: int = 0
    held_reads: int = 0
    missing_reads: int = 0
    failed_reads: int = 0
    index_changed_at: datetime | None = None
    index_missing_at: datetime | None = None
    lacks_includes: bool = False  # last read without an include that is requested now
    replaced: bool = False  # outside the index, which lists the match under another id


@dataclass(frozen=True, slots=True)
class NextRead:
    """The next read of a fixture: not before ``at``, for ``reason`` (a key of ``PRIORITIES``).

    ``urgent``: the read may use the reserve of the call budget.
    """

    at: datetime
    reason: str
    priority: int
    urgent: bool


def without_times_ahead(state: FixtureState, now: datetime) -> FixtureState:
    """The state without times that lie ahead of ``now``: a clock that was set back since has stamped them, so nobody
    knows when that was. A last read counts as one of long ago, a change of the index as one of now.

    Clocks of two machines may differ by ``CLOCK_TOLERANCE``.
    """
    latest = now + CLOCK_TOLERANCE
    times = (state.last_fetched_at, state.last_requested_at, state.index_changed_at, state.index_missing_at)
    if not any(at is not None and at > latest for at in times):
        return state
    read, requested, changed, missing = times
    return replace(
        state,
        last_fetched_at=LONG_AGO if read and read > latest else read,
        last_requested_at=LONG_AGO if requested and requested > latest else requested,
        index_changed_at=min(changed, now) if changed else None,
        index_missing_at=min(missing, now) if missing else None,
    )


def next_due(state: FixtureState, settings: RecheckSettings, guard: GuardSettings, now: datetime) -> NextRead | None:
    """The next read of a fixture, or None when it is not to be read any more: a tombstone, or a match that the provider
    has created anew under another id, once it has been read for being gone.

    ``now`` decides whether a match that was never collected counts as recent, and it is the time of reads that are
    due already; it moves no time that lies ahead.
    """
    if state.status == "DELETED":
        return None
    requested = state.last_requested_at or state.last_fetched_at
    if requested and state.index_changed_at and state.index_changed_at > requested:
        return _next(state.index_changed_at, "changed_in_index")
    if state.state_id == DELETED and state.last_fetched_at:
        return None
    if state.replaced and requested and state.index_missing_at and requested > state.index_missing_at:
        return None
    if requested and (state.failed_reads or state.missing_reads):
        return _after_failure(state, settings, requested)
    if state.last_fetched_at is None:
        recent = state.starting_at is not None and abs(now - state.starting_at) <= RECENT
        priority = PRIORITIES["never_collected"] if recent else HISTORY_PRIORITY
        return NextRead(now, "never_collected", priority, recent)
    fetched = state.last_fetched_at
    if state.held_reads:
        held, other = _next(fetched + timedelta(hours=guard.hours), "held"), _by_state(state, fetched, settings)
        # A live match stays live; reads before their time confirm nothing.
        return other if state.state_id in LIVE and other.at < held.at else held
    if state.index_changed_at and state.index_changed_at > fetched:
        return _next(state.index_changed_at, "changed_in_index")
    if state.index_missing_at and state.index_missing_at > fetched:
        return _next(state.index_missing_at, "gone_from_index")
    found, oldest = _by_state(state, fetched, settings), fetched + timedelta(days=settings.max_age_days)
    found = found if found.at <= oldest else _next(oldest, "aged")
    return _next(now, "includes_added") if state.lacks_includes and found.at > now else found


def _by_state(state: FixtureState, fetched: datetime, settings: RecheckSettings) -> NextRead:
    state_id, end = state.state_id, end_of(state, settings)
    if state_id in FINISHED or state_id in ENDED_WITHOUT_RESULT:
        return _recheck(state, fetched, end, settings)
    if end is None or fetched < end + DAY:
        if state_id in LIVE:
            return _next(fetched + timedelta(minutes=settings.live_minutes), "live")
        if state_id == NOT_STARTED and end is not None and fetched < end:
            return _next(end, "just_finished")
        # A match that should have ended and that the provider still reports as not started waits, too.
        if state_id in WAITING or (state_id == NOT_STARTED and end is not None):
            return _next(fetched + timedelta(hours=settings.waiting_hours), "waiting")
    return _unsettled(state, fetched, settings)


def _unsettled(state: FixtureState, fetched: datetime, settings: RecheckSettings) -> NextRead:
    """The next read of a match without a foreseeable end.

    Old seasons contain matches that remain postponed, or even live, for ever, so the delay doubles with every
    unchanged read. A new date or state shows in the index and makes the fixture due at once.
    """
    times = max(state.unchanged_reads - settings.quiet_reads + 1, 0)
    longest = max(settings.schedule_hours[-1], settings.unsettled_hours)
    hours = min(settings.unsettled_hours * 2 ** min(times, 20), longest)
    return _next(fetched + timedelta(hours=hours), "unsettled" if state.state_id in KNOWN else "unknown_state")


def _recheck(state: FixtureState, fetched: datetime, end: datetime | None, settings: RecheckSettings) -> NextRead:
    """The first time of the recheck schedule after the last read; after its last time, the sweep by age.

    A fixture with ``quiet_reads`` unchanged reads skips the times between the first day and the last time; the first
    day is never skipped, because most corrections come then.
    """
    if end is not None:
        quiet = state.unchanged_reads >= settings.quiet_reads
        for hours in settings.schedule_hours:
            at = end + timedelta(hours=hours)
            skipped = quiet and 24 < hours < settings.schedule_hours[-1]
            if fetched < at and not skipped:
                return _next(at, _recheck_reason(hours))
    return _next(fetched + timedelta(days=settings.max_age_days), "aged")


def _after_failure(state: FixtureState, settings: RecheckSettings, requested: datetime) -> NextRead:
    """The next read after failed or missing reads, whatever the state: the delay doubles with each of them."""
    times = max(state.failed_reads, state.missing_reads)
    hours = min(settings.failed_hours * 2 ** min(times - 1, 20), settings.failed_max_hours)
    return _next(requested + timedelta(hours=hours), "failed" if state.failed_reads else "missing")


def next_look(suspected_at: datetime, answers: int, guard: GuardSettings) -> datetime:
    """When to ask again for a list whose last answer is suspected to be an accident: the delay doubles with every
    answer in a row of that kind (``answers``, from 1)."""
    return suspected_at + timedelta(hours=min(guard.hours * 2 ** min(answers - 1, 20), LONGEST_LOOK_HOURS))


def end_of(state: FixtureState, settings: RecheckSettings) -> datetime | None:
    """The end of a match: from its periods, else estimated from the kick-off; None when neither is known.

    It is never later than ``LATEST_END``, plus the length of a match, so that the schedule can be added to it.
    """
    if state.ended_at is not None:
        return min(state.ended_at, LATEST_END)
    if state.starting_at is None:
        return None
    return min(state.starting_at, LATEST_END) + timedelta(hours=settings.match_hours)


def _recheck_reason(hours: float) -> str:
    for limit, name in ((6, "recheck_1h"), (72, "recheck_1d"), (336, "recheck_7d")):
        if hours < limit:
            return name
    return "recheck_30d"


def _next(at: datetime, reason: str) -> NextRead:
    return NextRead(at, reason, PRIORITIES[reason], reason in URGENT)
