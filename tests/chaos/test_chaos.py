"""The short version of the fault suite; the long one is `make chaos N=200`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.ground import Ground
from tests.chaos.scenario import scenario
from tests.chaos.suite import play

# Drawn once; between them they hold every kind of fault, kill, crash, sabotage, clear and clock move.
SEEDS = (1, 4, 5, 13, 101, 102)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_warehouse_ends_exactly_right(ground: Ground, seed: int) -> None:
    figures = play(scenario(seed), ground, keep=Path("/tmp/chaos"))
    again = f".venv/bin/python -m tests.chaos --seed {seed} --keep /tmp/chaos"
    assert figures.good, f"play it again: {again}\n" + "\n".join(figures.problems)


def test_equal_seeds_are_equal_scenarios() -> None:
    assert scenario(17) == scenario(17)
    assert scenario(17) != scenario(18)
