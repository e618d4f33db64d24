"""Questions before something that is hard to take back: on a terminal only, and `--yes` answers them."""

from __future__ import annotations

import argparse
import sys

from rich.markup import escape

from local.cli.console import err


def configure_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-y", "--yes", action="store_true", help="answer every question with its first choice")


def interactive() -> bool:
    """Whether a person can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str) -> bool:
    """Ask a person; only y and yes count as yes."""
    return _answer(f"{question} \\[y/N]").casefold() in ("y", "yes")


def choose(question: str, choices: list[tuple[str, str]]) -> str:
    """Ask for one of the choices (key, text); the first one is that of an empty answer."""
    err.print(escape(question))
    for number, (_, text) in enumerate(choices, 1):
        err.print(f"  {number}  {escape(text)}")
    while True:
        answer = _answer(f"1 to {len(choices)}, Enter for 1:")
        if not answer:
            return choices[0][0]
        if answer.isascii() and answer.isdecimal() and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1][0]
        err.print(f"please type a number from 1 to {len(choices)}")


def _answer(prompt: str) -> str:
    """A line of standard input; the end of it counts as an empty line. Standard output may be for JSON."""
    err.print(prompt, end=" ")
    return sys.stdin.readline().strip()
