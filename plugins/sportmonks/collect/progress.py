"""The chunk's checkpoint while it is being collected."""

from __future__ import annotations

import msgspec

from sportmonks.collect import checkpoints
from sportmonks.collect.context import RunContext
from sportmonks.config.manifest import Season


class ChunkProgress:
    """Moves the chunk's checkpoint after each committed batch."""

    def __init__(self, run: RunContext, season: Season, done: int, left: int) -> None:
        """``done`` and ``left``: fixtures of the chunk's plan, as the warehouse knows them."""
        self._run = run
        self.mark = self._begin(season, done, left)

    def _begin(self, season: Season, done: int, left: int) -> checkpoints.Checkpoint:
        """The same run goes on counting its batches; a forced collection keeps its beginning."""
        run, now = self._run, self._run.clock()
        forced = run.params.run_filter.force
        if done and left:
            run.log.info("Resuming after %d of %d fixtures", done, done + left)
        found = checkpoints.read(run.checkpoints, run.league.id, season.id)
        same = found is not None and found.execution_id == run.execution_id
        goes_on = found is not None and found.forced and forced and not found.finished and found.is_fresh(now)
        mark = checkpoints.Checkpoint(
            league_id=run.league.id,
            season_id=season.id,
            execution_id=run.execution_id,
            started_at=found.started_at if found and (same or goes_on) else now,
            updated_at=now,
            batches=found.batches if found and same else 0,
            done=done,
            total=done + left,
            forced=forced,
        )
        if left:
            checkpoints.write(run.checkpoints, mark)
        return mark

    def move(self, fixtures: int) -> None:
        """One more batch of ``fixtures`` is stored for good."""
        self.mark = msgspec.structs.replace(
            self.mark,
            batches=self.mark.batches + 1,
            done=self.mark.done + fixtures,
            updated_at=self._run.clock(),
        )
        checkpoints.write(self._run.checkpoints, self.mark)

    def finish(self) -> None:
        """The chunk's plan is done."""
        if self.mark.total:
            self.mark = msgspec.structs.replace(self.mark, finished=True)
            checkpoints.write(self._run.checkpoints, self.mark)
