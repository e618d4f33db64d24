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


def as_json(result: Result, *, minutes: float, load: Sequence[float]) -> dict[str, Any]:
    """A part's outcome. ``load``: of the machine, averaged over a minute, before and after."""
    return {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}",
        "minutes": round(minutes, 1),
        "load": [round(each, 1) for each in load],
        "lines": [asdict(line) for line in result.lines],
        "figures": result.figures,
    }


def merged(parts: Mapping[str, Any], file: Path | None) -> dict[str, Any]:
    """``parts`` by name with the machine; those of ``file`` that were not measured anew stay."""
    stored = json.loads(file.read_text(encoding="utf-8"))["parts"] if file is not None and file.exists() else {}
    machine = {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    return {"machine": machine, "parts": {**stored, **parts}}


def write(found: Mapping[str, Any], file: Path) -> None:
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def table_of(found: Mapping[str, Any]) -> str:
    """The Markdown table of all parts."""
    rows = [HEAD, ("---", "---:", "---:", "---:")]
    for each in (line for part in found["parts"].values() for line in part["lines"]):
        values = {name: each[name] for name in Line.__dataclass_fields__}
        rows.append(Line(**values | {"ratio": tuple(each["ratio"])}).cells())
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def readme_part(found: Mapping[str, Any]) -> str:
    """What stands in README.md between BEGIN and END."""
    machine, parts = found["machine"], found["parts"].values()
    days = sorted({part["measured"] for part in parts})
    loads = sorted(load for part in parts for load in part["load"])
    minutes = sum(part["minutes"] for part in parts)
    return (
        f"Measured by `make bench` on {' to '.join(dict.fromkeys((days[0], days[-1])))} in {minutes:.0f} minutes:"
        f" {machine['cores']} cores ({machine['architecture']}), at a load\nof {loads[0]} to {loads[-1]}. The spread is"
        f" from lowest to highest, of {MANY} pairs and more from quartile to quartile.\nCompare within a line, not with"
        f" another machine ([what each part does](docs/reference/benchmarks.md)).\n\n{table_of(found)}\n"
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
