"""What the check prints: a line for each step, with its seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.deploy.compose.stack import CheckError

# A title and what has to hold, which is called with the stack.
Step = tuple[str, Callable[[Any], str | None]]


class Report:
    """Prints each step with its seconds and counts what failed."""

    def __init__(self) -> None:
        self.failed = 0

    def step(self, title: str, work: Callable[[], str | None]) -> bool:
        """Whether it held. ``work`` returns a figure to print, or None."""
        begin = time.monotonic()
        try:
            figure = work()
        except CheckError as error:
            self.failed += 1
            print(f"failed    {title}: {error}", flush=True)
            return False
        print(f"ok        {title} ({time.monotonic() - begin:.0f} s){': ' + figure if figure else ''}", flush=True)
        return True

    @staticmethod
    def not_done(what: str, reason: str) -> None:
        print(f"not done  {what}: {reason}", flush=True)
