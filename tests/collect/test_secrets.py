"""The API repeats the key in errors of every status while a league is collected: no table and no log line holds it."""

from __future__ import annotations

import itertools
import logging
from contextlib import suppress

import pytest

from sportmonks.errors import SportmonksError
from tests.collect.conftest import DAY, RunHarness
from tests.harness.canary import found_in, rows_with

# (status, code of the provider). One that is decided by itself of each kind.
ERRORS = [
    (301, None), (400, 5006), (401, None), (402, None), (403, 5002), (403, 5007), (404, None), (408, None),
    (418, None), (429, 5005), (500, None), (503, None),
]  # fmt: skip


def test_no_table_holds_the_key(harness: RunHarness, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key, forms = harness.box.key, itertools.cycle(("raw", "upper", "percent", "base64"))
    paths = itertools.cycle(("/multi/", "/multi/", "/multi/", "/multi/", "/fixtures"))
    for status, code in ERRORS:
        # In the batches of every other run, which reads its index then.
        match = {"path": next(paths)}
        fault = harness.box.fault("echo_key", status=status, form=next(forms), match=match, rate=1.0, code=code)
        run = harness.run(force=True)
        with suppress(SportmonksError):
            harness.run_all(run)
        with suppress(SportmonksError):
            harness.collect(run)
        harness.conn.execute("SELECT etl.finish_etl_execution(%s)", (run.execution_id,))
        harness.box.admin("DELETE", f"/faults/{fault}")
    harness.box.fault("echo_key", status=200, rate=1.0)
    harness.move(DAY)
    harness.run_all(harness.run(force=True, continue_from_checkpoint=False))
    assert harness.value("SELECT count(*) FROM raw.fixtures") == 12
    assert "failed" in caplog.text
    assert not found_in(caplog.text, key)
    assert rows_with(harness.conn, key) == []
