"""What is stored of a batch's fixtures before the batch: their states, and the payloads that differ from new ones."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from sportmonks.coerce import clean_text
from sportmonks.load.changes import Change, compare_payloads
from sportmonks.load.decision import StoredState
from sportmonks.load.payloads import UNEXPECTED, Payload, carry_over, hold_sections, summary_of
from sportmonks.load.sections import by_section
from sportmonks.load.summary import BASE_FIELDS
from sportmonks.load.suspicion import halved
from sportmonks.planning.recheck import FixtureState
from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredPayload:
    """A stored payload with other content than the new one: its JSON and includes, its rows per section, the changes.

    ``includes_after``: those of the payload that replaces it. ``halved``: sections that tell of both sides here, and of
    one or none in the new one.
    """

    raw: bytes
    includes: tuple[str, ...]
    includes_after: tuple[str, ...]
    counts: Mapping[str, int]
    changes: list[Change]
    halved: frozenset[str] = frozenset()


def read_stored_states(conn: psycopg.Connection[Any], ids: Iterable[int]) -> dict[int, StoredState]:
    """States by fixture id. The rows stay locked until the transaction ends."""
    found = {}
    for row in conn.execute(
        sql("load/stored_states"), {"ids": list(ids), "base_fields": sorted(BASE_FIELDS)}
    ).fetchall():
        (
            fixture_id, state_id, starting_at, ended_at, status, last_fetched_at, unchanged_reads, held_reads,
            held_hash, missing_reads, failed_reads, index_changed_at, index_missing_at, replaced, content_hash,
            includes, reported, *place,
        ) = row  # fmt: skip
        state = FixtureState(
            state_id=state_id,
            starting_at=starting_at,
            ended_at=ended_at,
            status=status,
            last_fetched_at=last_fetched_at,
            unchanged_reads=unchanged_reads,
            held_reads=held_reads,
            missing_reads=missing_reads,
            failed_reads=failed_reads,
            index_changed_at=index_changed_at,
            index_missing_at=index_missing_at,
            replaced=replaced,
        )
        found[fixture_id] = StoredState(
            state, content_hash, held_hash, tuple(includes or ()), tuple(reported or ()), tuple(place)
        )
    return found


def compare_with_stored(
    conn: psycopg.Connection[Any],
    payloads: Mapping[int, Payload],
    includes: tuple[str, ...],
    stored: Mapping[int, StoredState],
) -> tuple[dict[int, Payload], dict[int, StoredPayload], dict[int, str]]:
    """The payloads, completed from what is stored, the stored ones that differ from them, and for those that cannot
    be compared the reason; each by fixture id.

    ``includes``: those that were requested for ``payloads``. A payload takes over the stored sections that it does
    not hold. One whose content is the stored one, written differently, takes over the stored content hash.
    """
    requested = by_section(includes).keys()
    sections = {key: by_section(stored[key].includes).keys() for key in payloads if key in stored}
    ids = [
        key
        for key, stored_sections in sections.items()
        if stored[key].content_hash is not None
        and (stored_sections - requested or stored[key].content_hash != payloads[key].content_hash)
    ]
    completed, found, unreadable = dict(payloads), dict[int, StoredPayload](), dict[int, str]()
    if not ids:
        return completed, {}, {}
    absent: Counter[str] = Counter()
    for key, text in conn.execute(sql("load/stored_payloads"), {"ids": ids}).fetchall():
        stored_json, stored_includes = text.encode(), stored[key].includes
        includes_after = merged_includes(includes, stored_includes)
        incomparable = sections_requested_differently(stored_includes, includes_after)
        try:
            payload = carry_over(payloads[key], stored_json, sections[key])
            changes = compare_payloads(stored_json, payload.raw, sections[key], incomparable)
            before = summary_of(stored_json)
            counts = _comparable(before.counts, incomparable)
        except UNEXPECTED as error:
            # Whatever form its rows have: the others of the batch are not affected.
            unreadable[key] = clean_text(f"cannot be compared with what is stored: {error}")
            continue
        completed[key] = payload
        absent.update((payload.summary.counts.keys() - payloads[key].summary.counts.keys()) & requested)
        if changes is None:
            completed[key] = replace(payload, content_hash=stored[key].content_hash or payload.content_hash)
        else:
            half = halved(before, payload.summary) - incomparable
            found[key] = StoredPayload(stored_json, stored_includes, includes_after, counts, changes, half)
    for name, count in sorted(absent.items()):
        log.warning(
            "%d of %d fixtures came without '%s', which was requested; stored data kept", count, len(payloads), name
        )
    return completed, found, unreadable


def hold_degraded(
    payload: Payload, stored: StoredPayload, degraded: Collection[str], includes: tuple[str, ...]
) -> tuple[Payload, StoredPayload] | None:
    """The payload with the stored rows of its degraded sections, and the stored one with what then changes.

    None when nothing changes. ``includes``: those that were requested for ``payload``.
    """
    sections = {name.partition(".")[0] for name in degraded}
    requested = tuple(name for name in includes if not by_section([name]).keys() & sections)
    includes_after = merged_includes(requested, stored.includes)
    held = hold_sections(payload, stored.raw, degraded)
    incomparable = sections_requested_differently(stored.includes, includes_after)
    changes = compare_payloads(stored.raw, held.raw, by_section(stored.includes).keys(), incomparable)
    return None if changes is None else (held, replace(stored, includes_after=includes_after, changes=changes))


def sections_requested_differently(before: Iterable[str], after: Iterable[str]) -> frozenset[str]:
    """Sections that two lists of includes request in different depth or with different fields. A difference in them
    is our own choice and not a correction of the provider."""
    old, new = by_section(before), by_section(after)
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def merged_includes(requested: tuple[str, ...], stored: Iterable[str] = ()) -> tuple[str, ...]:
    """The includes of a completed payload: the requested ones, and the stored ones of sections that it took over."""
    sections = by_section(requested).keys()
    return (*requested, *(name for name in stored if not by_section([name]).keys() & sections))


def _comparable(counts: dict[str, int], incomparable: frozenset[str]) -> dict[str, int]:
    """Without the details of sections that were requested differently: we may have left them out ourselves."""
    return {name: count for name, count in counts.items() if "." not in name or name.split(".")[0] not in incomparable}
