"""The one exception of the local stack: what is wrong, and what to do about it."""

from __future__ import annotations


class LocalError(Exception):
    """Something the user can correct; the command line prints both sentences and exits with 1."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class UsageError(LocalError):
    """A wrong argument on the command line: exit code 2, nothing was started."""
