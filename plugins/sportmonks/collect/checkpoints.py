"""Checkpoints: the progress of a chunk's collection, in one Airflow Variable per chunk.

The warehouse decides what is done; a checkpoint shows the progress, and when a forced collection started. Each key has
one writer, the task that holds the chunk's lease, because Variables lose concurrent updates. When one is lost, outdated
or corrupt, a forced collection that was interrupted starts anew, and nothing else changes.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Annotated, Protocol

import msgspec

log = logging.getLogger(__name__)

FRESH = timedelta(days=1)
Timestamp = Annotated[datetime, msgspec.Meta(tz=True)]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """State of a chunk's collection after a committed batch. Its field names are stored."""

    league_id: int
    season_id: int
    execution_id: str
    started_at: Timestamp
    updated_at: Timestamp
    batches: int = 0
    done: int = 0
    total: int = 0
    forced: bool = False
    finished: bool = False

    def is_fresh(self, now: datetime) -> bool:
        """Whether an interrupted collection may be continued: it was last updated within a day."""
        return self.started_at <= now and timedelta(0) <= now - self.updated_at <= FRESH


class CheckpointStore(Protocol):
    """Where checkpoints are stored: Airflow Variables in a task, a dict in tests."""

    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str) -> None: ...
    def delete(self, key: str) -> None: ...


class VariableStore:
    """A CheckpointStore in Airflow Variables, through the Task SDK."""

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
    """The name of a chunk's Variable."""
    return f"sportmonks_ckpt__{league_id}__{season_id}"


def read(store: CheckpointStore, league_id: int, season_id: int) -> Checkpoint | None:
    """The chunk's checkpoint; None when there is none, or when it cannot be read, which is logged."""
    key = key_of(league_id, season_id)
    try:
        text = store.get(key)
    except Exception as error:
        log.warning("Checkpoint %s is not available (%s); the warehouse decides alone", key, type(error).__name__)
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


def write(store: CheckpointStore, checkpoint: Checkpoint) -> None:
    """Write the chunk's checkpoint. An error is logged and not raised, because the data is committed already."""
    key = key_of(checkpoint.league_id, checkpoint.season_id)
    try:
        store.set(key, msgspec.json.encode(checkpoint).decode())
    except Exception as error:
        log.warning("Checkpoint %s could not be written (%s); the warehouse has the progress", key, error)


def clear(store: CheckpointStore, league_id: int, season_id: int) -> None:
    """Delete the chunk's checkpoint, if there is one."""
    key = key_of(league_id, season_id)
    try:
        store.delete(key)
    except Exception as error:
        # There may have been none.
        log.info("Checkpoint %s was not deleted: %s", key, type(error).__name__)
