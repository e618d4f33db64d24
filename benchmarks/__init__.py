"""Measurements of this package on the machine at hand: `python -m benchmarks` (see `benchmarks/__main__.py`)."""

import sys

from tests.harness.paths import REPO

sys.path.insert(0, str(REPO / "plugins"))
