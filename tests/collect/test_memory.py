"""The memory of a collection does not grow with the batches that have been committed, however slowly it goes on."""

from __future__ import annotations

import gc
import time

from sportmonks.collect.collect import collect
from sportmonks.load.reading import ReadBatch
from tests.collect.conftest import RunHarness

DONE = "SELECT count(*) FROM etl.execution_fixtures WHERE execution_id = %s AND status <> 'PENDING'"


def test_batches_that_are_committed_are_let_go(harness: RunHarness) -> None:
    run = harness.run(batch_size=2)
    harness.planned(run)
    held: list[int] = []
    gc.collect()
    others = _read_batches()  # what tests before this one hold, in a traceback, say
    deadline = time.monotonic() + 60

    def receive_slowly(*_: object) -> None:
        while not held and harness.value(DONE, run.execution_id) < 12 and time.monotonic() < deadline:
            time.sleep(0.01)
        # The thread that has committed the last one lets go of it right afterwards.
        while (found := len(_read_batches()) - len(others)) and time.monotonic() < deadline:
            time.sleep(0.01)
        held.append(found)

    assert collect(run, harness.season, "test", receive_slowly).outcomes == {"saved": 12}
    assert held == [0] * 6


def _read_batches() -> list[object]:
    # isinstance would ask each object for its class, and lazy modules import themselves then.
    return [each for each in gc.get_objects() if type(each) is ReadBatch]
