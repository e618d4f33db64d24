"""Every error of the package, grouped by what the caller does next.

============================  =======================================================
class                         what to do
============================  =======================================================
ConfigurationError            stop; a setting has to be corrected by a person
UnknownIncludeError           the same, for an include that the API does not know
FatalApiError                 stop; the request itself is wrong, repeating it is useless
OutsidePlanError              skip that league or resource, the rest goes on
TransientApiError             try again, not before ``retry_after``
RateLimitError                the same, and every other caller of that entity waits too
BudgetWait, CircuitOpenError  no call may be made now, come back at ``until``
WarehouseDownError            try again: the warehouse does not answer just now
DataError                     the response arrived but some rows cannot be stored
QualityCheckError             what is stored does not match the plan: a person has to look
LostLeaseError                another task has taken over this chunk: stop, write nothing
============================  =======================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Self


class SportmonksError(Exception):
    """Base of all; ``hint`` is the next action for a person, shown behind the message."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigurationError(SportmonksError):
    """A setting is missing or wrong; nothing was started."""


class UnknownIncludeError(ConfigurationError):
    """The API does not know an include, or does not offer it where it was requested; no other plan would help."""


class FatalApiError(SportmonksError):
    """The API says that the request is wrong (bad filter, unknown endpoint). ``status``: of HTTP, where that says
    so."""

    def __init__(self, message: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class OutsidePlanError(SportmonksError):
    """The subscription does not cover this resource. ``status``: of HTTP, where that says so."""

    def __init__(self, message: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class TransientApiError(SportmonksError):
    """A passing fault; ``retry_after`` in seconds where the API named a time."""

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class RateLimitError(TransientApiError):
    """HTTP 429 or code 5005 for one entity."""

    def __init__(self, message: str, *, entity: str, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.entity = entity


class BudgetWait(SportmonksError):  # noqa: N818 (a wait, not an error)
    """The budget has no call left for ``entity`` before ``until`` (timezone-aware)."""

    def __init__(self, message: str, *, entity: str, seconds: float, until: datetime) -> None:
        super().__init__(message)
        self.entity = entity
        self.seconds = seconds
        self.until = until

    @classmethod
    def after(cls, seconds: float, *, entity: str, reason: str) -> Self:
        """The wait that begins now and takes ``seconds``; ``reason`` says in the message why no call may be made."""
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        message = f"No {entity} call before {until:%Y-%m-%d %H:%M:%S} UTC ({seconds:.0f} s): {reason.rstrip('.')}."
        return cls(message, entity=entity, seconds=seconds, until=until)


class CircuitOpenError(BudgetWait):
    """The API is away: calls rest everywhere after repeated failures, or it named the time of its return itself."""


class WarehouseDownError(SportmonksError):
    """The warehouse refuses connections for now: it restarts, or the network is away."""


class DataError(SportmonksError):
    """Rows that cannot be stored; ``ids`` names them."""

    def __init__(self, message: str, *, ids: Sequence[int] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.ids = tuple(ids)


class QualityCheckError(SportmonksError):
    """A required quality check of a season failed; repeating the work changes nothing."""


class LostLeaseError(SportmonksError):
    """The chunk's fence moved on: another run or a newer try owns it now."""
