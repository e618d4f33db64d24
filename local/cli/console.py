"""Output of the command line: colours on a terminal, plain lines in a pipe."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.markup import escape

from local.errors import LocalError
from local.stack.settings import SettingsError

# Control characters in text from elsewhere could move the cursor, retitle the terminal or turn the rest of a line
# around.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

LONGEST_LINE = 500

# In a pipe lines are not wrapped, so that other programs can read them.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
err = Console(highlight=False, soft_wrap=True, width=None if sys.stderr.isatty() else 200, stderr=True)


def printable(text: str) -> str:
    """Text from elsewhere without control characters."""
    return _CONTROL.sub(" ", text)


def _readable(text: str) -> str:
    """Lines without control characters, none longer than a few lines of a terminal."""
    lines = printable(text).split("\n")
    return "\n".join(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}..." for line in lines)


def step(begun: float | None = None) -> Callable[[str], None]:
    """A `say` that puts the seconds since `begun` before each line."""
    start = time.monotonic() if begun is None else begun

    def say(line: str) -> None:
        out.print(f"[dim]{time.monotonic() - start:6.1f} s[/dim]  {escape(line)}")
        sys.stdout.flush()

    return say


def complain(error: LocalError) -> None:
    """Print the messages and hints of an error on standard error."""
    problems = error.problems if isinstance(error, SettingsError) else [(error.message, error.hint)]
    for message, hint in problems:
        err.print(f"[bold red]error:[/] {escape(_readable(message))}")
        if hint:
            err.print(f"[bold]hint:[/]  {escape(_readable(hint))}")


def hint(text: str) -> None:
    """Print a hint of its own on standard error."""
    err.print(f"[bold]hint:[/]  {escape(_readable(text))}")


def warn(message: str, hint: str) -> None:
    """Print a warning and its hint on standard error."""
    err.print(f"[bold yellow]warning:[/] {escape(message)}")
    err.print(f"[bold]hint:[/]  {escape(hint)}")


def seconds(value: float) -> str:
    """75 -> 1 min 15 s."""
    rounded = round(value)
    if rounded < 60:
        return f"{value:.1f} s" if value < 10 else f"{rounded} s"
    minutes, rest = divmod(rounded, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
