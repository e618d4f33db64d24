"""The one exception of the local stack: what is wrong, and what to do about it."""

from __future__ import annotations


class LocalError(Exception):
    """Something the user can mend; the command line prints both sentences and exits with 1."""

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}\n  mend: {self.mend}" if self.mend else self.message


class UsageError(LocalError):
    """A wrong argument on the command line: exit code 2, nothing was started."""
