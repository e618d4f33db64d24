"""The short version of the fault suite; the long one is `make chaos N=200`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.environment import ChaosEnvironment
from tests.chaos.play import play
from tests.chaos.scenario import scenario

# Drawn once; between them they hold every kind of fault, kill, crash, sabotage, clear and clock move.
SEEDS = (1, 4, 5, 13, 101, 102)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_warehouse_ends_exactly_right(environment: ChaosEnvironment, seed: int) -> None:
    result = play(scenario(seed), environment, keep=Path("/tmp/chaos"))
    again = f".venv/bin/python -m tests.chaos --seed {seed} --keep /tmp/chaos"
    assert result.good, f"play it again: {again}\n" + "\n".join(result.problems)


def test_equal_seeds_are_equal_scenarios() -> None:
    assert scenario(17) == scenario(17)
    assert scenario(17) != scenario(18)
