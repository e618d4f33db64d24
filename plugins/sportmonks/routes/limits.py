"""What an unknown API says about its rate limit: figures and waits in the usual headers. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from sportmonks.api.response import RateLimit
from sportmonks.api.status import retry_after
from sportmonks.coerce import as_delay, read_time

_PREFIXES = ("X-RateLimit", "X-Rate-Limit", "RateLimit", "X-RateLimit-Requests")
# Of the RateLimit header: remaining and reset in its first (remaining=5, reset=10) and its present form (r=5;t=10).
_PART = re.compile(r"\b(remaining|reset|limit|r|t)\s*=\s*([0-9]{1,15})", re.I)
# How the body of a refusal names a limit: rateLimitExceeded, REQUEST_LIMIT_EXCEEDED, "secondary rate limit", quota.
_LIMIT_WORDS = re.compile(
    rb"rate[\s_-]*limit|limit[\s_-]*(?:was |is |has been )?(?:exceeded|reached)|exceed\w*[^.\"]{0,40}\blimit"
    rb"|\bquota|quotaExceeded|too[\s_-]*many[\s_-]*requests|throttl",
    re.I,
)
# The same where the status says nothing of the kind: words that nothing else has, no field such as quota_remaining.
_THROTTLE_WORDS = re.compile(
    rb"throttl(?:ed|ing|e_)|too[\s_-]*many[\s_-]*requests|rate[\s_-]*limit\w*[\s_-]*(?:exceeded|reached)", re.I
)
# In a refusal, or an answer that is nothing but a note, it names the limit that was reached; elsewhere perhaps that of
# the plan.
_RATE_WORDS = re.compile(rb"\b(?:calls|requests) per (?:second|minute|hour|day)", re.I)
_WAIT_WORDS = re.compile(
    rb"\b(?:retry|again|available|wait)\b[^.\"]{0,30}?\b([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(?:s|sec|secs|seconds?)\b", re.I
)
_READ_BYTES = 10_000
# Greater numbers are times since 1970 and not durations; those beyond the second are in milliseconds.
_EPOCH, _EPOCH_MS = 1e9, 1e11


def read_limits(headers: Mapping[str, str], now: datetime | None = None) -> RateLimit:
    """Calls left and seconds until the window ends, None where no header tells them."""
    now = now or datetime.now(UTC)
    parts = {name.lower(): int(value) for name, value in _PART.findall(headers.get("RateLimit") or "")}
    remaining = parts.get("remaining", parts.get("r"))
    resets: float | None = parts.get("reset", parts.get("t"))
    limit = parts.get("limit")
    for prefix in _PREFIXES:
        remaining = _number(headers.get(f"{prefix}-Remaining")) if remaining is None else remaining
        limit = _number(headers.get(f"{prefix}-Limit")) if limit is None else limit
        resets = seconds_until(headers.get(f"{prefix}-Reset"), now) if resets is None else resets
    if remaining is None or resets is None:
        # Without an end the window may last a second or a day: the figure alone says nothing about when to wait.
        return RateLimit()
    return RateLimit(remaining=remaining, resets_in_seconds=resets, limit=limit or None)


def seconds_until(text: str | None, now: datetime) -> float | None:
    """Seconds until a time that a header names: a duration, seconds or milliseconds since 1970, an HTTP date or ISO
    8601; at least 0. None for anything else."""
    if not text:
        return None
    text = text.strip()
    if re.fullmatch(r"\d{1,16}(\.\d+)?", text):
        number = float(text)
        if number < _EPOCH:
            return number
        return max(0.0, (number / 1000 if number >= _EPOCH_MS else number) - now.timestamp())
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read_time(text, read)
        except (TypeError, ValueError, OverflowError):
            continue
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return max(0.0, (found - now).total_seconds() + 1)
    return None


def wait_named(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait that a refusal names: Retry-After, else its forms, else the reset of a limit that is used up."""
    found = retry_after(headers, None, now=now)
    if found is not None:
        return found
    for name in ("X-RateLimit-Retry-After", "X-Retry-After", "Retry-After-Ms"):
        delay = as_delay(headers.get(name))
        if delay is not None:
            return delay / 1000 if name.endswith("Ms") else delay
    limits = read_limits(headers, now)
    return limits.resets_in_seconds if limits.remaining == 0 else None


def is_limit(headers: Mapping[str, str], body: bytes = b"") -> bool:
    """Whether a 403 is a rate limit: it names a wait, no call is left, or its body speaks of a limit or a quota."""
    return wait_named(headers) is not None or _LIMIT_WORDS.search(body[:_READ_BYTES]) is not None


def is_throttled(body: bytes, *, status: int = 400) -> bool:
    """Whether a 400, or an answer without records, is a rate limit: its body says so in so many words. A limit alone
    may be that of a parameter."""
    begin = body[:_READ_BYTES]
    named = _RATE_WORDS.search(begin) is not None and (status >= 400 or bool(texts_alone(body)))
    return named or _THROTTLE_WORDS.search(begin) is not None


def texts_alone(body: bytes) -> dict[str, str]:
    """The texts of an answer that is an object of nothing else; else empty."""
    try:
        return msgspec.json.decode(body, type=dict[str, str])
    except msgspec.MsgspecError:
        return {}


def wait_in_text(body: bytes) -> float | None:
    """Seconds to wait that the message of a refusal names, such as "try again in 20s"; None when it names none."""
    found = _WAIT_WORDS.search(body[:_READ_BYTES])
    return float(found[1]) if found else None


def _number(text: str | None) -> int | None:
    found = re.match(r"\s*(\d{1,15})", text or "")
    return int(found[1]) if found else None
