"""The short version of the fault suite; the long one is `make chaos N=200`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.environment import ChaosEnvironment
from tests.chaos.play import play
from tests.chaos.scenario import PASSING, SABOTAGES, Phase, scenario

SEEDS = (7066, 7137, 6103, 8302, 5776, 5238, 6891)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_warehouse_ends_exactly_right(environment: ChaosEnvironment, seed: int) -> None:
    result = play(scenario(seed), environment, keep=Path("/tmp/chaos"))
    again = f".venv/bin/python -m tests.chaos --seed {seed} --keep /tmp/chaos"
    assert result.good, f"play it again: {again}\n" + "\n".join(result.problems)


def test_the_seeds_hold_every_kind_of_accident() -> None:
    assert {scenario(seed).typed_rows for seed in SEEDS} == {True, False}
    phases = [phase for seed in SEEDS for phase in scenario(seed).phases]
    assert {fault["kind"] for phase in phases for fault in phase.faults} == {fault["kind"] for fault in PASSING}
    assert {phase.sabotage for phase in phases} == {None, *SABOTAGES}
    assert {phase.clear for phase in phases} == {None, "chunk", "run"}
    never = {name for name in Phase.__dataclass_fields__ if not any(getattr(phase, name) for phase in phases)}
    assert never == set()
    assert any(phase.clock_jump_after and phase.clock_jump_after[1] < 0 for phase in phases)


def test_equal_seeds_are_equal_scenarios() -> None:
    assert scenario(17) == scenario(17)
    assert scenario(17) != scenario(18)
