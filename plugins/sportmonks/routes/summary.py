"""The summary of a run: its figures, and the lines that the log and the command line show of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sportmonks.routes.counters import END, NOTES, UNPROVEN_FROM
from sportmonks.routes.period import Window
from sportmonks.routes.spec import Route

Summary = dict[str, Any]


def summary_of(
    route: Route, listings: int, period: Window | None, counters: Mapping[str, float], resumed: bool
) -> Summary:
    """The figures of a run: its counters, how its listings ended, seconds and records a second."""
    seconds = float(counters["seconds"])
    numbers = {
        name: int(value)
        for name, value in counters.items()
        if name not in ("seconds", UNPROVEN_FROM) and not name.startswith((END, *NOTES))
    }
    return {
        **numbers,
        "end": end_text(counters),
        "seconds": round(seconds, 3),
        "records_per_second": round(numbers["records"] / seconds, 1) if seconds else 0.0,
        "table": f"raw.{route.table}",
        "period": str(period) if period else None,
        "listings": listings,
        "resumed": resumed,
        "retry_max": route.retry_max,
        "batch_export": route.batch_export,
    }


def end_text(counters: Mapping[str, float]) -> str:
    """How the ends of the listings were known, such as ``empty_page`` or ``no_next (12), total (1)``."""
    ends = sorted(
        ((name.removeprefix(END), int(count)) for name, count in counters.items() if name.startswith(END)),
        key=lambda one: (-one[1], one[0]),
    )
    return ", ".join(f"{name} ({count})" if len(ends) > 1 else name for name, count in ends)


def summary_text(summary: Summary) -> str:
    """The summary as lines of text, for the end of the log."""
    lines = [
        f"Total records collected: {summary['records']:,}",
        f"Table: {summary['table']}",
        f"Period: {summary['period'] or 'none'}",
        f"Total time: {summary['seconds']:.0f} s",
        f"Mean rate: {summary['records_per_second']:.1f} records/s",
        f"Pages: {summary['pages']:,} in {summary['listings']:,} listings"
        f" ({summary['repeated_pages']} repeated, {summary['asked_again']} requested again,"
        f" {summary['skipped']} skipped)",
        f"End: {summary['end'] or 'none'}"
        + (f" ({summary['unproven']} listings may be short)" if summary["unproven"] else ""),
        *(f"Doubt: {doubt}" for doubt in summary["doubts"]),
        f"New: {summary['inserted']:,} | known: {summary['duplicates']:,} (came back: {summary['revived']:,})",
        f"Out of range: {summary['out_of_range']:,} | without a date: {summary['undated']:,}"
        f" | failed: {summary['failed']:,}",
        "Fetching and writing at the same time: yes",
        f"Settings: retry_max={summary['retry_max']}, batch_export={summary['batch_export']}",
    ]
    return "\n".join(["Summary", *(f"  {line}" for line in lines)])
