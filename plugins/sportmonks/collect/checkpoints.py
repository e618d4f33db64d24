"""Checkpoints: where a chunk's collection stands, in one Airflow Variable per chunk.

The warehouse decides what is done; a checkpoint says where to look and what was asked. One key has one writer (the
task that holds the chunk's lease), because Variables lose concurrent updates. A lost, stale or corrupt one costs
nothing but the hint.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Annotated, Protocol

import msgspec

log = logging.getLogger(__name__)


FRESH = timedelta(days=1)
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """State of a chunk's collection after the last committed batch. Times carry their zone."""

    league_id: int
    season_id: int
    execution_id: str
    started_at: Moment
    updated_at: Moment
    batches: int = 0
    done: int = 0
    total: int = 0
    forced: bool = False
    finished: bool = False

    def is_fresh(self, now: datetime) -> bool:
        """Whether a collection that stopped here may go on; one of last week begins anew."""
        return self.started_at <= now and timedelta(0) <= now - self.updated_at <= FRESH


class Store(Protocol):
    """Where checkpoints live; Airflow's Variables in a task, a dict in tests."""

    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str) -> None: ...
    def delete(self, key: str) -> None: ...


class VariableStore:
    """Airflow Variables, through the task's own channel."""

    def get(self, key: str) -> str | None:
        from airflow.sdk import Variable

        value = Variable.get(key, default=None)
        return None if value is None else str(value)

    def set(self, key: str, value: str) -> None:
        from airflow.sdk import Variable

        Variable.set(key, value, description="Checkpoint of a league/season chunk; safe to delete")

    def delete(self, key: str) -> None:
        from airflow.sdk import Variable

        Variable.delete(key)


def key_of(league_id: int, season_id: int) -> str:
    """The Variable of a chunk."""
    return f"sportmonks_ckpt__{league_id}__{season_id}"


def read(store: Store, league_id: int, season_id: int) -> Checkpoint | None:
    """The chunk's checkpoint; None when there is none or when it cannot be understood (which is logged)."""
    key = key_of(league_id, season_id)
    try:
        text = store.get(key)
    except Exception as error:
        log.warning("Checkpoint %s cannot be had (%s); the warehouse decides alone", key, type(error).__name__)
        return None
    if not text:
        return None
    try:
        found = msgspec.json.decode(text, type=Checkpoint)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        log.warning("Checkpoint %s cannot be read (%s); the warehouse decides alone", key, error)
        return None
    if (found.league_id, found.season_id) != (league_id, season_id):
        log.warning("Checkpoint %s belongs to chunk %s_%s; ignored", key, found.league_id, found.season_id)
        return None
    return found


def write(store: Store, checkpoint: Checkpoint) -> None:
    """Move the chunk's checkpoint. Never fails the job: the data is committed already."""
    key = key_of(checkpoint.league_id, checkpoint.season_id)
    try:
        store.set(key, msgspec.json.encode(checkpoint).decode())
    except Exception as error:
        log.warning("Checkpoint %s could not be written (%s); the warehouse still knows", key, error)


def clear(store: Store, league_id: int, season_id: int) -> None:
    """Forget where the chunk stood."""
    key = key_of(league_id, season_id)
    try:
        store.delete(key)
    except Exception as error:
        # There may have been none.
        log.info("Checkpoint %s was not deleted: %s", key, type(error).__name__)
