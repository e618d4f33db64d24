"""What is stored of a batch's fixtures before it: their books, and the payloads that it differs from."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from sportmonks.load.changes import Change, by_section, differences, sections_asked_differently
from sportmonks.load.decision import StoredState
from sportmonks.load.payloads import Payload, carry_over
from sportmonks.load.summary import summarize
from sportmonks.planning.recheck import FixtureState
from sportmonks.warehouse.connection import sql

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredPayload:
    """A stored payload that the answer differs from: what it holds, and what has changed since."""

    includes: tuple[str, ...]
    counts: Mapping[str, int]
    changes: list[Change]


def read_prior(conn: psycopg.Connection[Any], ids: Iterable[int]) -> dict[int, StoredState]:
    found = {}
    for row in conn.execute(sql("load/stored_states"), {"ids": list(ids)}).fetchall():
        key, state, start, end, status, fetched_at, unchanged, held, held_hash, missing, failed, content_hash, has = row
        facts = FixtureState(
            state_id=state,
            starting_at=start,
            ended_at=end,
            status=status,
            last_fetched_at=fetched_at,
            unchanged_reads=unchanged,
            held_reads=held,
            missing_reads=missing,
            failed_reads=failed,
        )
        found[key] = StoredState(facts, content_hash, held_hash, tuple(has or ()))
    return found


def read_old(
    conn: psycopg.Connection[Any],
    payloads: dict[int, Payload],
    includes: tuple[str, ...],
    prior: Mapping[int, StoredState],
) -> dict[int, StoredPayload]:
    """What is stored of the fixtures whose answer, asked for with ``includes``, differs. Changes ``payloads``: one that
    is silent about some of the stored sections takes them over first."""
    asked = by_section(includes).keys()
    sections = {key: by_section(prior[key].includes).keys() for key in payloads if key in prior}
    ids = [
        key
        for key, stored_sections in sections.items()
        if prior[key].content_hash is not None
        and (stored_sections - asked or prior[key].content_hash != payloads[key].content_hash)
    ]
    if not ids:
        return {}
    found = {}
    silent: Counter[str] = Counter()
    for key, text in conn.execute(
        "SELECT fixture_id, payload::text FROM raw.fixtures WHERE fixture_id = ANY (%s)", (ids,)
    ).fetchall():
        stored, stored_with = text.encode(), prior[key].includes
        told = payloads[key].summary.counts.keys()
        payload = payloads[key] = carry_over(payloads[key], stored, sections[key])
        silent.update((payload.summary.counts.keys() - told) & asked)
        asked_differently = sections_asked_differently(stored_with, holds(includes, stored_with))
        differing = differences(stored, payload.raw, sections[key], asked_differently)
        if differing is None:
            # Written differently, by us or by the provider, and saying the same.
            payloads[key] = replace(payload, content_hash=prior[key].content_hash or payload.content_hash)
        else:
            found[key] = StoredPayload(stored_with, _comparable(summarize(stored).counts, asked_differently), differing)
    for name, count in sorted(silent.items()):
        log.warning("%d of %d answers lack '%s' though asked for; what is stored stays", count, len(payloads), name)
    return found


def holds(asked: tuple[str, ...], stored: Iterable[str] = ()) -> tuple[str, ...]:
    """What a payload holds: what was asked for, and of the ``stored`` includes what it took over."""
    sections = by_section(asked).keys()
    return (*asked, *(name for name in stored if not by_section([name]).keys() & sections))


def _comparable(counts: dict[str, int], asked_differently: frozenset[str]) -> dict[str, int]:
    """Without the details of lineups where they are not asked for alike: we may have left them out ourselves."""
    return {
        name: count for name, count in counts.items() if "." not in name or name.split(".")[0] not in asked_differently
    }
