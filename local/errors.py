"""The errors of the local stack and its command line: each says what is wrong and what to do."""

from __future__ import annotations


class LocalError(Exception):
    """A problem that the user can correct; the command line prints message and hint and exits with 1."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class UsageError(LocalError):
    """A wrong argument on the command line: exit code 2, nothing was started."""
