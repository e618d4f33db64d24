"""Settings from the environment, the identity of an execution, checkpoints."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from sportmonks.collect import checkpoints
from sportmonks.collect.checkpoints import Checkpoint
from sportmonks.config.settings import includes_override, leagues_override, parse_includes, parse_leagues
from sportmonks.errors import ConfigurationError
from sportmonks.planning.execution_id import execution_id

# ---- settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("participants,scores", ("participants", "scores")),
        (" participants ; scores ;; scores ", ("participants", "scores")),
        ("lineups.details", ("lineups.details",)),
        ("lineups.details:type_id,data", ("lineups.details:type_id,data",)),
        ("lineups.details:type_id,data;scores", ("lineups.details:type_id,data", "scores")),
        ("weatherReport,xGFixture", ("weatherReport", "xGFixture")),
    ],
)
def test_includes(text: str, expected: tuple[str, ...]) -> None:
    assert parse_includes(text) == expected
    assert includes_override({"ETL_INCLUDES": text}) == expected


@pytest.mark.parametrize("text", ["a b", "scores,1x", "lineups..details", "lineups.", "a/b", "scores&api_token=x"])
def test_bad_includes_name_the_variable_and_the_part(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"ETL_INCLUDES: '.*' is not an include. Write names such as"):
        parse_includes(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("8", (8,)), ("8,564", (8, 564)), (" 8 , 8,, 9", (8, 9)), ("all", None), (" ALL ", None)]
)
def test_leagues(text: str, expected: tuple[int, ...] | None) -> None:
    assert parse_leagues(text) == expected
    assert leagues_override({"ETL_LEAGUES": text}) == (True, expected)


@pytest.mark.parametrize("text", ["premier", "8;9", "-8", "0", "8.5", "8,all", ",", " , ", "9" * 5000])
def test_bad_leagues_name_the_variable_and_the_hint(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"ETL_LEAGUES.*Set ETL_LEAGUES to ids such as 8,564 or to all"):
        parse_leagues(text)


@pytest.mark.parametrize("env", [{}, {"ETL_LEAGUES": "", "ETL_INCLUDES": " "}])
def test_unset_variables_decide_nothing(env: dict[str, str]) -> None:
    assert leagues_override(env) == (False, None)
    assert includes_override(env) is None


# ---- execution id

WHEN = datetime(2026, 3, 1, 5, 2, 3, tzinfo=UTC)


def test_an_execution_is_named_after_its_run() -> None:
    found = execution_id("sportmonks_premier_league", "manual__1", WHEN)
    assert found == execution_id("sportmonks_premier_league", "manual__1", WHEN)
    assert found.startswith("etl_20260301_050203_")
    assert len(found) == len("etl_20260301_050203_") + 6


def test_runs_of_one_second_have_their_own_names() -> None:
    names = {execution_id(dag, run, WHEN) for dag in ("a", "b") for run in ("x", "y")}
    assert len(names) == 4


def test_the_zone_of_the_clock_does_not_matter() -> None:
    there = WHEN.astimezone(timezone(timedelta(hours=5)))
    assert execution_id("a", "x", there) == execution_id("a", "x", WHEN)


# ---- checkpoints


class DictStore(dict[str, str]):
    """Variables, played by a dict."""

    def set(self, key: str, value: str) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


MARK = Checkpoint(
    league_id=8,
    season_id=101,
    execution_id="etl_1",
    started_at=datetime(2026, 3, 1, 5, tzinfo=UTC),
    updated_at=datetime(2026, 3, 1, 5, 1, tzinfo=UTC),
    batches=3,
    done=150,
    total=380,
)


def test_a_checkpoint_comes_back_as_it_was_written() -> None:
    store = DictStore()
    checkpoints.write(store, MARK)
    assert list(store) == ["sportmonks_ckpt__8__101"]
    assert checkpoints.read(store, 8, 101) == MARK
    assert checkpoints.read(store, 8, 102) is None
    checkpoints.clear(store, 8, 101)
    checkpoints.clear(store, 8, 101)
    assert checkpoints.read(store, 8, 101) is None


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}", '"x"', '{"league_id": "8"}', "\ud800", "\x00"])
def test_a_corrupt_checkpoint_costs_nothing_but_the_hint(text: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert checkpoints.read(DictStore(sportmonks_ckpt__8__101=text), 8, 101) is None
    assert not text or "the warehouse decides" in caplog.text


def test_a_checkpoint_of_another_chunk_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    store = DictStore(sportmonks_ckpt__8__102=msgspec.json.encode(MARK).decode())
    assert checkpoints.read(store, 8, 102) is None
    assert "belongs to chunk 8_101" in caplog.text


def test_a_store_that_does_not_answer_never_fails_the_job(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(DictStore):
        def set(self, key: str, value: str) -> None:
            raise ConnectionError("no answer")

    checkpoints.write(Broken(), MARK)
    assert "could not be written (no answer)" in caplog.text
