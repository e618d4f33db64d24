"""README's table is that of the stored run, and the table says what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import PARTS


def test_readme_shows_the_stored_run() -> None:
    found = json.loads(report.RESULTS.read_text(encoding="utf-8"))
    shown = report.README.read_text(encoding="utf-8").partition(report.BEGIN)[2].partition(report.END)[0]
    assert shown == report.readme_part(found), "Run `python -m benchmarks readme`."
    assert {"path", "load", "latency", "volume"} <= found["parts"].keys() <= PARTS.keys()
    assert sum(part["minutes"] for part in found["parts"].values()) <= 30


@pytest.mark.parametrize(
    ("ratios", "found"),
    [
        ([3.0], (3.0, 3.0, 3.0)),
        ([5.0, 1.0, 2.0], (1.0, 2.0, 5.0)),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 90.0], (2.5, 5.0, 7.5)),
    ],
)
def test_the_spread_of_few_and_of_many(ratios: list[float], found: tuple[float, float, float]) -> None:
    assert report.spread(ratios) == found


def test_a_line_is_of_pairs() -> None:
    """The ratio is of each pair, and not of the medians: what the machine did beside it meets both of a pair."""
    line = report.pair("speed", "fixtures/s", [10.0, 40.0, 90.0], [5.0, 10.0, 30.0])
    assert line.cells() == ("speed", "40.0 fixtures/s", "10.0 fixtures/s", "**3.00** (2.00 to 4.00)")
    turned = report.pair("time", "s", [1.0], [2500.0], inverse=True)
    assert turned.cells() == ("time", "1.00 s", "2,500 s", "**2,500**")


def test_a_part_measured_anew_leaves_the_others(tmp_path: Path) -> None:
    file = tmp_path / "benchmark.json"
    for speed, parts in ((2.0, ("load", "path")), (3.0, ("path",))):
        result = report.Result([report.pair("speed", "/s", [speed], [1.0])])
        measured = {name: report.as_json(result, minutes=1, load=(0.5, 1.0)) for name in parts}
        report.write(report.merged(measured, file), file)
    found = json.loads(file.read_text(encoding="utf-8"))
    assert {name: part["lines"][0]["ratio"][1] for name, part in found["parts"].items()} == {"load": 2.0, "path": 3.0}
    assert "| speed | 3.00 /s | 1.00 /s | **3.00** |" in report.readme_part(found)
