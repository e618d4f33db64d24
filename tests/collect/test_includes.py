"""Includes that do not exist stop a run before its work; what the plan refuses does not."""

from __future__ import annotations

import pytest

from sportmonks.errors import UnknownIncludeError
from tests.collect.conftest import RunHarness


@pytest.mark.parametrize(
    ("include", "words"),
    [
        ("foo", "There is no include 'foo'"),
        ("scoers", "Did you mean scores?"),
        ("lineups.detials", "Did you mean lineups.details?"),
        ("player", "is not offered there"),
    ],
)
def test_an_unknown_include_stops_the_run_before_its_work(harness: RunHarness, include: str, words: str) -> None:
    run = harness.run(includes=["participants", include])
    with pytest.raises(UnknownIncludeError, match=words.replace("?", r"\?")):
        harness.planned(run)
    calls = harness.box.calls()
    assert (calls["total"], calls["fixtures_requested"]) == (2, 0)
    assert harness.value("SELECT count(*) FROM football.fixtures") == 0


def test_what_the_plan_refuses_is_left_out(harness: RunHarness) -> None:
    run = harness.run(includes=["participants", "scores", "odds"])
    assert harness.run_all(run).outcomes["saved"] == 12
    assert run.client().forbidden_includes == {("Fixture", "odds")}
    assert harness.value("SELECT DISTINCT includes FROM raw.fixtures") == ["participants", "scores"]
