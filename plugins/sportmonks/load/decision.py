"""What to do with each fixture of a batch: pure functions of the stored state and of what came back.

| the fixture                                         | outcome   | what is written                            |
|-----------------------------------------------------|-----------|--------------------------------------------|
| was stored by a later call in the meantime (stale)  | UNCHANGED | nothing                                    |
| fails its batch alone, or cannot be stored          | FAILED    | counters and the reason                    |
| was not returned                                    | MISSING   | counters                                   |
| was returned with the stored content                | UNCHANGED | counters                                   |
| was returned degraded, and not often enough so      | HELD      | counters, the reason, and all of it but    |
|                                                     |           | the degraded sections                      |
| was returned with other content                     | SAVED     | payload, typed tables, ledger and counters |

The counters (held_reads, missing_reads …) and the time of the next read are columns of ``football.fixtures``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sportmonks.config.catalog import GuardSettings, RecheckSettings
from sportmonks.load.payloads import Payload
from sportmonks.load.place import PLACE_FIELDS, Place, misplaced
from sportmonks.load.sections import by_section
from sportmonks.load.summary import BASE_FIELDS, PayloadSummary
from sportmonks.load.suspicion import DETAIL_SECTIONS, details_of, essential, lacking, unlike_others
from sportmonks.planning.recheck import FixtureState, end_of, next_due
from sportmonks.planning.states import DELETED, ENDED_WITHOUT_RESULT, FINISHED, NOT_BEGUN, PLAYED

SAVED, UNCHANGED, HELD, MISSING, FAILED = "SAVED", "UNCHANGED", "HELD", "MISSING", "FAILED"


@dataclass(frozen=True, slots=True)
class StoredState:
    """What the warehouse holds of a fixture before a batch: its state, and of its payload hash and includes.

    ``held_hash``: hash of the loss for which the last read was held back, or the content hash of a stored payload
    that is suspected to be incomplete (see ``load.suspicion``). ``reported``: fields that the index has of a fixture
    without a payload; else what its payload is suspected to lack. ``place``: the league and season where it is stored.
    """

    state: FixtureState
    content_hash: bytes | None = None
    held_hash: bytes | None = None
    includes: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    place: Place = (None, None)


@dataclass(frozen=True, slots=True)
class FixtureDecision:
    """The outcome for one fixture and the state that is stored with it.

    ``changed``: the stored payload is replaced; ``stale``: nothing at all is written of the fixture.
    ``held_sections``: those of the payload that keep their stored rows. ``partial``: not all sections were requested
    that the fixture is usually read with, so the read does not count in the recheck schedule.
    ``suspected``: sections that what is stored from now on lacks, perhaps by an accident; None leaves what is noted.
    ``place``: the league and season that the fixture belongs to from now on; None leaves it where it is.
    """

    fixture_id: int
    outcome: str
    status: str
    state: FixtureState
    changed: bool = False
    held_hash: bytes | None = None
    error: str | None = None
    stale: bool = False
    held_sections: tuple[str, ...] = ()
    partial: bool = False
    suspected: tuple[str, ...] | None = None
    place: Place = (None, None)

    @property
    def returned(self) -> bool:
        return self.outcome in (SAVED, UNCHANGED, HELD)

    def row(self, recheck: RecheckSettings, guard: GuardSettings, now: datetime) -> dict[str, Any]:
        """The decision as a row for ``load/fixtures.sql``, with the time of the next read.

        ``now``: when the call began; what the index has shown since then is still to be read.
        """
        counts, changed_at = self.returned and not self.partial, self.state.index_changed_at
        state = replace(
            self.state,
            status=self.status,
            index_changed_at=None if counts and changed_at and changed_at <= now else changed_at,
        )
        due = next_due(state, recheck, guard, now)
        ended_at = end_of(state, recheck) if state.state_id in FINISHED | ENDED_WITHOUT_RESULT else state.ended_at
        return {
            "fixture_id": self.fixture_id,
            "status": self.status,
            "returned": counts,
            "changed": self.changed,
            **dict(zip(PLACE_FIELDS, self.place, strict=True)),
            "ended_at": ended_at.isoformat() if ended_at else None,
            "unchanged_reads": state.unchanged_reads,
            "held_reads": state.held_reads,
            "held_hash": "\\x" + self.held_hash.hex() if self.held_hash else None,
            "missing_reads": state.missing_reads,
            "failed_reads": state.failed_reads,
            "error": self.error,
            "suspected": None if self.suspected is None else ", ".join(self.suspected),
            "next_due_at": due.at.isoformat() if due else None,
            "due_reason": due.reason if due else None,
        }


def decide_batch(
    requested: Iterable[int],
    payloads: Mapping[int, Payload],
    unreadable: Mapping[int, str],
    stored: Mapping[int, StoredState],
    stored_counts: Mapping[int, Mapping[str, int]],
    guard: GuardSettings,
    *,
    at: datetime,
    now: datetime,
    complete: bool = True,
    includes: tuple[str, ...] = (),
    usual: tuple[str, ...] = (),
    halved: Mapping[int, Collection[str]] | None = None,
) -> list[FixtureDecision]:
    """One decision per requested fixture, in their order.

    ``unreadable``: reasons by fixture id; ``stored_counts``: rows per section of the stored payloads that differ from
    the ones that came; ``at``: when the call began, ``now``: when it is stored; ``complete``: whether it requested all
    sections that the fixtures are usually read with; ``includes``: those of the call, ``usual``: those of the league's
    runs; ``halved``: sections that tell of fewer sides than the stored ones, by fixture id. Played fixtures are
    compared with those of their batch; ``load.season`` compares all of a season.
    """
    decisions = []
    details = details_of({key: payload.summary for key, payload in payloads.items()}, includes)
    played = Counter(details.values())
    for fixture_id in requested:
        before = stored.get(fixture_id, StoredState(FixtureState()))
        last_read = before.state.last_fetched_at
        # A last read that is later than now was stamped by a clock that is ahead, and proves nothing.
        if last_read and at < last_read <= now:
            decisions.append(decide_stale(fixture_id, before))
        elif fixture_id in unreadable:
            decisions.append(decide_failed(fixture_id, before, unreadable[fixture_id], at))
        elif payload := payloads.get(fixture_id):
            counts = stored_counts.get(fixture_id, {})
            suspected = (*suspected_sections(before, payload.summary, includes), *payload.summary.unreadable)
            if fixture_id in details:
                known = () if is_new(before, payload.summary) else by_section(before.includes)
                unlike = unlike_others(details[fixture_id], played)
                suspected = (*suspected, *(name for name in unlike if name not in known))
            if is_new(before, payload.summary):
                suspected = (*suspected, *misplaced(before.place, payload.summary.place))
            suspected = tuple(dict.fromkeys(suspected))
            decisions.append(
                decide_returned(
                    fixture_id,
                    before,
                    payload,
                    counts,
                    guard,
                    at,
                    suspected=suspected,
                    complete=complete,
                    includes=includes,
                    usual=usual,
                    halved=(halved or {}).get(fixture_id, ()),
                )
            )
        else:
            decisions.append(decide_missing(fixture_id, before, at))
    return decisions


def decide_returned(
    fixture_id: int,
    stored: StoredState,
    payload: Payload,
    stored_counts: Mapping[str, int],
    guard: GuardSettings,
    now: datetime,
    *,
    suspected: tuple[str, ...] = (),
    complete: bool = True,
    includes: tuple[str, ...] = (),
    usual: tuple[str, ...] = (),
    halved: Collection[str] = (),
) -> FixtureDecision:
    """The decision on a fixture that came back.

    ``stored_counts``: rows per section of the stored payload, empty when none is stored. ``suspected``: sections that
    the payload may lack by an accident; it is saved, and read again as if it had been held back, until it has come like
    that ``guard.rereads`` more times. A section in which it has to have rows, by the ``includes`` of this call and of
    earlier ones, stays noted as long as it is stored without any. A payload that names another league or season than
    the fixture is stored in is suspected like a loss, and does not move it before it is believed.
    ``complete``, ``usual``, ``halved``: as in ``decide_batch``.
    """
    if not complete and stored.state.last_fetched_at is not None:
        return _decide_partial(fixture_id, stored, payload, stored_counts, halved, guard, now)
    summary = payload.summary
    elsewhere = misplaced(stored.place, summary.place)
    requested = (*includes, *stored.includes)
    without = tuple(
        name
        for name in lacking(summary, requested)
        if name in essential(summary.state_id) and not summary.counts.get(name)
    )
    status = "DELETED" if summary.state_id == DELETED else "COLLECTED"
    state = replace(
        _read_at(stored.state, now),
        state_id=summary.state_id,
        starting_at=summary.starting_at,
        ended_at=summary.ended_at,
        held_reads=0,
        lacks_includes=not complete,
    )
    if stored.content_hash == payload.content_hash:
        # What is stored may hold sections that are no longer requested; nobody will read those again.
        covers = by_section(usual).keys() <= by_section(includes).keys()
        suspected_before = stored.held_hash == payload.content_hash
        held = 0
        if suspected_before and stored.state.held_reads:
            # A read with fewer includes says nothing of the sections that it left out. One that lacks nothing ends the
            # suspicion.
            if not covers:
                held = stored.state.held_reads
            elif suspected:
                held = _held_before(stored, payload.content_hash, guard, now) + 1
        elif (summary.unreadable or elsewhere) and not suspected_before:
            # Suspected from the first such read on, and not anew after it was believed.
            held = 1
        if 0 < held <= guard.rereads:
            state = replace(state, held_reads=held)
            noted = (*without, *elsewhere, *summary.unreadable) if held == 1 and not suspected_before else None
            return FixtureDecision(
                fixture_id, UNCHANGED, status, state, held_hash=payload.content_hash, suspected=noted
            )
        state = replace(state, unchanged_reads=stored.state.unchanged_reads + 1)
        held_hash = payload.content_hash if summary.unreadable else None
        noted = tuple(dict.fromkeys((*without, *summary.unreadable)))
        return FixtureDecision(
            fixture_id, UNCHANGED, status, state, held_hash=held_hash, suspected=noted, place=summary.place
        )
    degraded = [
        name
        for name in sorted({*degraded_sections(stored_counts, summary.counts, guard), *halved})
        if not _explained(name, stored.state, summary)
    ]
    # What is stored may be suspected for its place already, then it names that place itself.
    suspected_place = _is_suspected(stored) and {*elsewhere} <= {*stored.reported}
    moved = {} if stored.content_hash is None or suspected_place else elsewhere
    if degraded or moved:
        # The same loss has to persist, not the same payload: other parts of it may go on changing meanwhile.
        causes = [f"degraded in {', '.join(degraded)}"] if degraded else []
        causes += [f"comes with {name} {place}" for name, place in moved.items()]
        degraded = sorted({*degraded, *moved})
        loss = _hash_of_loss(degraded, {**summary.counts, **moved})
        held = _held_before(stored, loss, guard, now) + 1
        if held <= guard.rereads:
            state = _with_held_fields(state, stored.state, degraded)
            text = f"{', '.join(causes)}: stored data kept (read {held} of {guard.rereads})"
            ended_at = stored.state.ended_at if "periods" in degraded else summary.ended_at
            state = replace(state, ended_at=ended_at, held_reads=held)
            sections = tuple(degraded)
            return FixtureDecision(fixture_id, HELD, status, state, held_hash=loss, error=text, held_sections=sections)
        # What stayed away as often as that is believed; without any detail, all three sections of it are.
        believed = {*degraded, *(DETAIL_SECTIONS if {*degraded} & {*DETAIL_SECTIONS} else ())} - {*summary.unreadable}
        suspected = tuple(name for name in suspected if name not in believed)
    held = int(bool(suspected))
    if suspected and _is_suspected(stored) and {*suspected} <= {*stored.reported}:
        # The same is lacking, though something else has changed; a match that was played meanwhile begins anew.
        same_match = (stored.state.state_id in PLAYED) == (summary.state_id in PLAYED)
        held = _held_before(stored, stored.held_hash or b"", guard, now) + 1 if same_match else 1
        if held > guard.rereads:
            held, suspected = 0, summary.unreadable
    state = replace(state, unchanged_reads=0, held_reads=held)
    held_hash = payload.content_hash if suspected else None
    noted = tuple(dict.fromkeys((*suspected, *without)))
    place = summary.place if elsewhere.keys().isdisjoint(suspected) else (None, None)
    return FixtureDecision(
        fixture_id, SAVED, status, state, changed=True, held_hash=held_hash, suspected=noted, place=place
    )


def _decide_partial(
    fixture_id: int,
    stored: StoredState,
    payload: Payload,
    stored_counts: Mapping[str, int],
    halved: Collection[str],
    guard: GuardSettings,
    now: datetime,
) -> FixtureDecision:
    """The decision on a fixture that was read completely before, and came back with some of its sections.

    What came is stored; when the fixture is read next stays as it was. A loss makes it due, and is neither confirmed
    nor stored by a partial read.
    """
    before = stored.state
    unsuspected = replace(stored, held_hash=None)
    found = decide_returned(fixture_id, unsuspected, payload, stored_counts, guard, now, halved=halved)
    held_reads, held_hash = before.held_reads, stored.held_hash
    if found.outcome == HELD and held_hash != found.held_hash:
        held_reads, held_hash = 1, found.held_hash
    elif found.changed and before.held_reads and held_hash == stored.content_hash:
        held_hash = payload.content_hash  # what is stored from now on is suspected as before
    state = replace(
        found.state,
        last_fetched_at=before.last_fetched_at,
        unchanged_reads=before.unchanged_reads,
        held_reads=held_reads,
    )
    return replace(found, state=state, held_hash=held_hash, partial=True, suspected=None)


def decide_stale(fixture_id: int, stored: StoredState) -> FixtureDecision:
    """The response is older than what another task has stored meanwhile: the fixture is done, nothing is written."""
    return FixtureDecision(
        fixture_id, UNCHANGED, stored.state.status, stored.state, held_hash=stored.held_hash, stale=True
    )


def decide_missing(fixture_id: int, stored: StoredState, now: datetime) -> FixtureDecision:
    """The fixture was requested and not returned: the stored data stays, and the fixture is requested again later."""
    state = replace(stored.state, last_requested_at=now, missing_reads=stored.state.missing_reads + 1)
    status = "MISSING" if stored.state.status in ("PENDING", "FAILED") else stored.state.status
    error = "requested, but not returned by the API"
    return FixtureDecision(fixture_id, MISSING, status, state, held_hash=stored.held_hash, error=error)


def decide_failed(fixture_id: int, stored: StoredState, error: str, now: datetime) -> FixtureDecision:
    """The fixture alone makes its batch fail, or its payload cannot be stored. ``error`` is cut to 500 characters."""
    state = replace(stored.state, last_requested_at=now, failed_reads=stored.state.failed_reads + 1)
    status = "FAILED" if stored.state.status in ("PENDING", "MISSING") else stored.state.status
    return FixtureDecision(fixture_id, FAILED, status, state, held_hash=stored.held_hash, error=error[:500])


def suspected_sections(stored: StoredState, summary: PayloadSummary, includes: Iterable[str]) -> tuple[str, ...]:
    """Sections that a payload lacks, perhaps by an accident, and that nobody has confirmed to be empty so far.

    Confirmed is what is stored without suspicion, unless the match has been played since or the section was not
    requested then.
    """
    if not is_new(stored, summary):
        known = by_section(stored.includes)
        return tuple(name for name in lacking(summary, includes) if name.partition(".")[0] not in known)
    # What the index has reported of the fixture, or what the stored payload is suspected for, and is not there. The
    # detail of its season is compared once: this batch may hold no other match of it.
    requested = by_section(includes).keys() & {*DETAIL_SECTIONS}
    lost = (name for name in stored.reported if name in BASE_FIELDS | requested and not summary.counts.get(name))
    return (*lacking(summary, includes), *lost)


def is_new(stored: StoredState, summary: PayloadSummary) -> bool:
    """Whether a payload is the first one of its fixture, or of the match as a played one, or follows one that is
    suspected itself."""
    unconfirmed = stored.content_hash is None or _is_suspected(stored)
    return unconfirmed or (summary.state_id in PLAYED and stored.state.state_id not in PLAYED)


def _is_suspected(stored: StoredState) -> bool:
    """Whether the stored payload is suspected to be incomplete, and not believed yet."""
    return stored.held_hash is not None and stored.held_hash == stored.content_hash and stored.state.held_reads > 0


def degraded_sections(before: Mapping[str, int], after: Mapping[str, int], guard: GuardSettings) -> list[str]:
    """Sections that lost all, or too many, of their rows, and base fields that lost their value, by name. A section
    that ``after`` lacks has no rows."""
    degraded = []
    for name, had in before.items():
        has = after.get(name, 0)
        emptied = had > 0 and has == 0
        shrunk = had >= guard.min_rows and has < had * guard.keep_share
        if emptied or shrunk:
            degraded.append(name)
    return sorted(degraded)


def _with_held_fields(state: FixtureState, stored: FixtureState, degraded: Iterable[str]) -> FixtureState:
    """The new state with those of its fields that did not come and are held back."""
    held = {name: getattr(stored, name) for name in ("state_id", "starting_at") if name in {*degraded}}
    return replace(state, **held)


def _read_at(state: FixtureState, now: datetime) -> FixtureState:
    """The state after a read that returned the fixture."""
    return replace(state, last_fetched_at=now, last_requested_at=now, missing_reads=0, failed_reads=0)


def _explained(name: str, before: FixtureState, after: PayloadSummary) -> bool:
    """Whether the payload itself explains why a section of it has lost rows.

    A match that is called off loses what was announced, and one that has no result any more its scores. A list of
    scores that has become shorter is no loss as long as it tells the current score.
    """
    changed = before.state_id != after.state_id
    if name in BASE_FIELDS:
        # What is known of a fixture stays; only the result goes with the state.
        return name == "result_info" and changed and after.state_id is not None and after.state_id not in FINISHED
    if name == "scores" and (after.current_score or (changed and after.state_id in NOT_BEGUN | ENDED_WITHOUT_RESULT)):
        return True
    # What is held back was played, although the state may say otherwise by now.
    return name != "participants" and not before.held_reads and _called_off(before.state_id, after.state_id)


def _called_off(before: int | None, after: int | None) -> bool:
    """Whether a match that had not begun will not be played as announced: then announced lineups go with it. Of a
    match that has begun nothing may vanish unguarded, not even when it is abandoned."""
    return before != after and before in NOT_BEGUN and after in NOT_BEGUN | ENDED_WITHOUT_RESULT


def _held_before(stored: StoredState, loss: bytes, guard: GuardSettings, now: datetime) -> int:
    """How many reads were held back for the same loss. A read before its time, as in a forced run, counts as one with
    the read before it."""
    if stored.held_hash != loss:
        return 0
    read = stored.state.last_fetched_at
    early = read is not None and now < read + timedelta(hours=guard.hours)
    return max(stored.state.held_reads - early, 0)


def _hash_of_loss(degraded: list[str], counts: Mapping[str, int]) -> bytes:
    text = ";".join(f"{name}={counts.get(name, 0)}" for name in degraded)
    return blake2b(text.encode(), digest_size=16).digest()
