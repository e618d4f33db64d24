"""The outcome of `python -m benchmarks`: one table of pairs with the spread of their ratios, and the same as JSON.

`docs/reference/benchmark.json` holds the run that README.md shows: `python -m benchmarks readme` writes README's table
from it, and a test compares the two.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.harness.paths import REPO

RESULTS = REPO / "docs" / "reference" / "benchmark.json"
README = REPO / "README.md"
BEGIN, END = "<!-- made by `python -m benchmarks readme` -->\n", "<!-- until here -->\n"
HEAD = ("measured in turns", "this package", "beside it", "ratio (spread)")
# From so many pairs on the spread is from quartile to quartile.
MANY = 8


@dataclass(frozen=True, slots=True)
class Line:
    """Two things that were measured in turns. ``ratio``: see ``spread``; ``here`` and ``beside``: the medians of both
    with their units; ``pairs``: how many."""

    what: str
    here: str
    beside: str
    ratio: tuple[float, float, float]
    pairs: int

    def cells(self) -> tuple[str, str, str, str]:
        lowest, middle, highest = map(_short, self.ratio)
        ratio = f"**{middle}** ({lowest} to {highest})" if self.pairs > 1 else f"**{middle}**"
        return self.what, self.here, self.beside, ratio


@dataclass(frozen=True, slots=True)
class Result:
    """What a benchmark found: the lines of the table, and all of its figures for the JSON."""

    lines: Sequence[Line]
    figures: Mapping[str, Any] = field(default_factory=dict)


def spread(ratios: Iterable[float]) -> tuple[float, float, float]:
    """Lowest, median and highest; of MANY and more the quartiles."""
    found = sorted(ratios)
    if len(found) < MANY:
        return found[0], median(found), found[-1]
    first, middle, last = quantiles(found, n=4)
    return first, middle, last


def pair(what: str, unit: str, here: Sequence[float], beside: Sequence[float], *, inverse: bool = False) -> Line:
    """A line of values that were measured in turns: here over beside, with ``inverse`` beside over here (so that the
    ratio of two durations is that of two speeds)."""
    ratios = [two / one if inverse else one / two for one, two in zip(here, beside, strict=True)]
    return Line(what, f"{_short(median(here))} {unit}", f"{_short(median(beside))} {unit}", spread(ratios), len(ratios))


def as_json(results: Mapping[str, Result], *, minutes: float, load: Sequence[float]) -> dict[str, Any]:
    """``load``: of the machine, averaged over a minute, before and after."""
    return {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": {
            "cores": os.cpu_count(),
            "architecture": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "load": [round(each, 1) for each in load],
        "minutes": round(minutes, 1),
        "lines": [asdict(line) | {"part": part} for part, result in results.items() for line in result.lines],
        "figures": {part: result.figures for part, result in results.items()},
    }


def write(found: Mapping[str, Any], file: Path) -> None:
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def table_of(found: Mapping[str, Any]) -> str:
    """The Markdown table of a run."""
    rows = [HEAD, ("---", "---:", "---:", "---:")]
    for each in found["lines"]:
        values = {name: each[name] for name in Line.__dataclass_fields__}
        rows.append(Line(**values | {"ratio": tuple(each["ratio"])}).cells())
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def readme_part(found: Mapping[str, Any]) -> str:
    """What stands in README.md between BEGIN and END."""
    machine, (before, after) = found["machine"], found["load"]
    return (
        f"Measured on {found['measured']} by `make bench` in {found['minutes']:.0f} minutes: {machine['cores']} cores"
        f" ({machine['architecture']}),\nload {before} before and {after} after. The spread is from lowest to highest,"
        f" of {MANY} pairs and more from quartile to quartile.\nCompare within a line, not with another machine.\n\n"
        f"{table_of(found)}"
    )


def update_readme() -> None:
    """Write README's table anew from the stored run."""
    text = README.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    README.write_text(f"{head}{BEGIN}{readme_part(found)}{END}{tail}", encoding="utf-8")


def _short(value: float) -> str:
    """Three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
