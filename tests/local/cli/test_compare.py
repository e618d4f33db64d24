"""./etl compare: the same fixtures in calls of different sizes, the choice of a season, and wrong arguments."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console

from local.cli import comparison
from local.cli.commands import compare
from local.cli.context import Context
from local.cli.main import build_parser
from local.errors import UsageError
from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.api.budget import UnlimitedBudget
from sportmonks.api.client import SportmonksClient
from sportmonks.config.catalog import Catalog
from sportmonks.config.manifest import League, build_manifest


@pytest.fixture(scope="module")
def box() -> Iterator[RunningSandbox]:
    with running_sandbox(leagues=2, seasons=2, teams=4, limit=100_000, now="2026-03-01T12:00:00Z") as running:
        yield running


@pytest.fixture
def client(box: RunningSandbox) -> Iterator[SportmonksClient]:
    box.reset()
    with SportmonksClient(box.base_url, box.key, budget=UnlimitedBudget()) as found:
        yield found


@pytest.fixture
def leagues(client: SportmonksClient) -> tuple[League, ...]:
    offered = [{**row, "seasons": client.seasons(row["id"])} for row in client.leagues()]
    return build_manifest(Catalog(), offered, includes=("scores", "events")).leagues


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    text = StringIO()
    monkeypatch.setattr(comparison, "out", Console(file=text, width=120, highlight=False))
    return text


def test_batches_need_fewer_calls_and_give_the_same(
    box: RunningSandbox, client: SportmonksClient, leagues: tuple[League, ...], screen: StringIO
) -> None:
    chunk = comparison.choose(client, leagues, None, None, 9)
    assert (chunk.league.id, len(chunk.fixture_ids)) == (leagues[0].id, 12)
    before = box.calls()["total"]
    assert comparison.compare(client, chunk, chunk.fixture_ids[:9], 5)
    assert box.calls()["total"] - before == 9 + 2
    assert "4.5 times fewer calls" in screen.getvalue()
    assert "9 of 9 fixtures are the same both times" in screen.getvalue()


def test_what_differs_and_what_is_missing_is_named(
    box: RunningSandbox, client: SportmonksClient, leagues: tuple[League, ...], screen: StringIO
) -> None:
    chunk = comparison.choose(client, leagues, None, None, 4)
    first, second, *_ = chunk.fixture_ids
    box.admin("DELETE", "/faults")
    read = comparison.read

    def corrected(client: SportmonksClient, chunk: comparison.MeasuredChunk, ids: object, size: int) -> object:
        found = read(client, chunk, chunk.fixture_ids[:4], size)
        if size == 1:
            box.admin("POST", "/corrections", {"n": 1, "ids": [first]})
            del found.rows[second]
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "read", corrected)
        assert not comparison.compare(client, chunk, chunk.fixture_ids[:4], 4)
    assert f"changed meanwhile: {first}" in screen.getvalue()
    assert f"missing in one of the two: {second}" in screen.getvalue()


def test_the_season_that_is_named_is_read(client: SportmonksClient, leagues: tuple[League, ...]) -> None:
    league = leagues[1]
    chunk = comparison.choose(client, leagues, league.id, league.seasons[1].id, 500)
    assert (chunk.season.id, len(chunk.fixture_ids), chunk.includes) == (league.seasons[1].id, 12, ("scores", "events"))
    with pytest.raises(UsageError, match="--league-id 5000 is not followed"):
        comparison.choose(client, leagues, 5000, None, 1)
    with pytest.raises(UsageError, match="--season-id 77 is no season of a league here") as caught:
        comparison.choose(client, leagues, league.id, 77, 1)
    assert f"({league.seasons[0].id})" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--test", "many"], "--test many is no test"),
        (["--batch-size", "0"], "--batch-size 0 is not an integer from 1 to 50"),
        (["--batch-size", "ten"], "--batch-size ten"),
        (["--fixture-count", "-3"], "--fixture-count -3"),
        (["--league-id", "1.5"], "--league-id 1.5"),
        (["--season-id", "x"], "--season-id x"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_starts(arguments: list[str], message: str) -> None:
    args = build_parser().parse_args(["compare", *arguments])
    with pytest.raises(UsageError, match=message):
        compare.run(args, Context(quiet=True))
