"""The chunk's checkpoint while it is being collected."""

from __future__ import annotations

import msgspec

from sportmonks import checkpoints
from sportmonks.catalog import Season
from sportmonks.collecting.run import Run


class ChunkProgress:
    """Moves the chunk's checkpoint after each committed batch."""

    def __init__(self, run: Run, season: Season, left: int) -> None:
        self._run = run
        self.mark = self._begin(season, left)

    def _begin(self, season: Season, left: int) -> checkpoints.Checkpoint:
        """A checkpoint of the same run goes on counting; a forced collection keeps its beginning."""
        run, now = self._run, self._run.clock().isoformat()
        forced = run.params.narrowing.force
        found = checkpoints.read(run.checkpoints, run.league.id, season.id)
        if found and found.execution_id == run.execution_id and not found.finished:
            run.log.info("Resuming after %d of %d fixtures", found.done, found.total)
            return msgspec.structs.replace(found, total=found.done + left, updated_at=now)
        goes_on = found is not None and found.forced and forced and not found.finished
        mark = checkpoints.Checkpoint(
            league_id=run.league.id,
            season_id=season.id,
            execution_id=run.execution_id,
            started_at=found.started_at if found and goes_on else now,
            updated_at=now,
            total=left,
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
            updated_at=self._run.clock().isoformat(),
        )
        checkpoints.write(self._run.checkpoints, self.mark)

    def finish(self) -> None:
        """The chunk's plan is done."""
        if self.mark.total:
            self.mark = msgspec.structs.replace(self.mark, finished=True)
            checkpoints.write(self._run.checkpoints, self.mark)
