"""The progress of a chunk's collection, written to its checkpoint."""

from __future__ import annotations

import time

import msgspec

from sportmonks.collect import checkpoints
from sportmonks.collect.context import RunContext
from sportmonks.config.manifest import Season

# A checkpoint is written at the start and at the end of a collection, and between at most this often: each write is a
# request to Airflow, and nothing depends on the last one. A collection of one batch is written at its end alone: before
# that batch there is nothing to go on with.
WRITE_EVERY_S = 5.0


class ChunkProgress:
    """The chunk's checkpoint as of the last committed batch, which is written into its Variable now and then."""

    def __init__(self, run: RunContext, season: Season, done: int, left: int) -> None:
        """``done`` and ``left``: how many fixtures of the chunk's plan are marked off in the warehouse, and not."""
        self._run = run
        self._written = 0.0
        self.checkpoint = self._first(season, done, left)

    def _first(self, season: Season, done: int, left: int) -> checkpoints.Checkpoint:
        """The same run continues its count of batches; a forced collection that is continued keeps its start time."""
        run, now = self._run, self._run.clock()
        forced = run.params.run_filter.force
        if done and left:
            run.log.info("Resuming after %d of %d fixtures", done, done + left)
        found = checkpoints.read(run.checkpoints, run.league.id, season.id)
        same = found is not None and found.execution_id == run.execution_id
        continued = found is not None and found.forced and forced and not found.finished and found.is_fresh(now)
        checkpoint = checkpoints.Checkpoint(
            league_id=run.league.id,
            season_id=season.id,
            execution_id=run.execution_id,
            started_at=found.started_at if found and (same or continued) else now,
            updated_at=now,
            batches=found.batches if found and same else 0,
            done=done,
            total=done + left,
            forced=forced,
        )
        if forced or left > run.params.batch_size:
            self._write(checkpoint)
        return checkpoint

    def advance(self, fixtures: int) -> None:
        """One more batch of ``fixtures`` fixtures has been committed."""
        self.checkpoint = msgspec.structs.replace(
            self.checkpoint,
            batches=self.checkpoint.batches + 1,
            done=self.checkpoint.done + fixtures,
            updated_at=self._run.clock(),
        )
        if time.monotonic() - self._written >= WRITE_EVERY_S:
            self._write(self.checkpoint)

    def finish(self) -> None:
        """All fixtures of the chunk's plan are marked off."""
        if self.checkpoint.total:
            self._write(msgspec.structs.replace(self.checkpoint, finished=True))

    def _write(self, checkpoint: checkpoints.Checkpoint) -> None:
        self.checkpoint = checkpoint
        checkpoints.write(self._run.checkpoints, checkpoint)
        self._written = time.monotonic()
