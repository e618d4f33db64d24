"""Errors that hide in answers with a good status, and what the bodies of refusals say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from sportmonks import lenient_json
from sportmonks.coerce import as_delay
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.errors import TransientApiError
from sportmonks.redaction import mask_text
from sportmonks.routes.json_path import shown_path, text_at, value_at
from sportmonks.routes.limits import texts_alone
from sportmonks.routes.spec import Route

# Where a text or a non-empty value is an error whatever else the answer holds, and flags that say so when false.
ERROR_FIELDS: tuple[JsonPath, ...] = (
    ("errors",), ("error",), ("error_message",), ("errorMessage",), ("error_description",), ("errorMessages",),
    ("fault",), ("timed_out",), ("_shards", "failed"),
)  # fmt: skip
_MESSAGES = (("message",), ("Message",), ("error", "message"), ("detail",), ("title",))
_SUCCESS = ("success", "ok", "Success", "succeeded")
_CODES = ("code", "errcode", "errno", "error_code", "ret")
_CODE_MESSAGES = ("msg", "message", "errmsg", "error_msg")
# Codes of success: 0, 00000, 200, 201, 20000.
_GOOD_CODE = re.compile(r"0+|2\d\d|20+|\D.*")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE_WORDS = 4  # fewer may be a name, or a time with its day, month and zone
# Texts in the place of an error, in lower case, that say that there is none.
NO_ERROR = ("", "0", "false", "none", "null", "no", "ok", "success", "no error", "n/a")


def refuse_error(body: bytes, route: Route, label: str, *, found: bool, empty: bool = False) -> None:
    """Raises TransientApiError when the answer holds an error: an error must not look like an empty day. ``found``:
    whether the records are there, beside which a ``message`` is no error. ``empty``: whether there is none, beside
    which a ``code`` with a message is one."""
    if body[:1] != b"{":
        return
    top = lenient_json.members(body)
    paths = route.error_fields
    if paths is None:
        paths = ERROR_FIELDS if found else (*ERROR_FIELDS, *_MESSAGES)
        # An object that leads to the records may have an error of its own.
        leading = [route.records[:depth] for depth in range(1, len(route.records))]
        paths = (*paths, *(before + path for before in leading for path in ERROR_FIELDS))
        if route.records:  # else the answer is the record itself, which may have a status of its own
            _refuse_status(body, top, route, label)
            if empty:
                _refuse_code(body, top, route, label)
    for path in paths:
        if path == route.records[: len(path)] or not any(key.startswith(path[0].partition("[")[0]) for key in top):
            continue
        value = value_at(body, path)
        if value is None or value is False or value in (0, [], {}):
            continue
        if isinstance(value, str) and value.strip().lower() in NO_ERROR:
            continue
        raise error_in(label, f"{shown_path(path)}: {_short(value)}", route)


def _refuse_status(body: bytes, top: Mapping[str, msgspec.Raw], route: Route, label: str) -> None:
    for name in _SUCCESS:
        if name in top and (name,) != route.records and value_at(body, (name,)) is False:
            raise error_in(label, f"{name} is false{_with_message(body)}", route)
    status = value_at(body, ("status",)) if "status" in top else None
    if (isinstance(status, int) and not isinstance(status, bool) and 400 <= status < 600) or (
        isinstance(status, str) and status.lower() in ("error", "fail", "failed", "failure")
    ):
        raise error_in(label, f"status is {status}{_with_message(body)}", route)


def _refuse_code(body: bytes, top: Mapping[str, msgspec.Raw], route: Route, label: str) -> None:
    code = next((text for name in _CODES if name in top and (text := text_at(body, (name,))) is not None), None)
    text = next((text for name in _CODE_MESSAGES if name in top and (text := text_at(body, (name,)))), "")
    if code is not None and not _GOOD_CODE.fullmatch(code) and text.strip().lower() not in NO_ERROR:
        raise error_in(label, f"code is {code}: {text}", route)


def refuse_note(body: bytes, label: str) -> None:
    """Raises TransientApiError where an answer without the list holds nothing but texts, and one of them is a sentence:
    it may be a refusal by a name and in words that are not known."""
    for name, text in texts_alone(body).items():
        if len(_WORD.findall(text)) >= _SENTENCE_WORDS:
            raise TransientApiError(
                f"{label}: the answer has no records, but a text ({mask_text(f'{name}: {text}')[:300]}).",
                hint="If this API answers so when there are no records: error_fields: [] in the route.",
            )


def error_in(label: str, what: str, route: Route) -> TransientApiError:
    """The error of an answer that says ``what``, with the hint for an API that means no error by it."""
    own = "" if route.error_fields is not None else " If that is no error: error_fields in the route."
    return TransientApiError(f"{label}: the answer holds an error ({mask_text(what)[:300]}).", hint=own.strip())


def _with_message(body: bytes) -> str:
    text = next(filter(None, (text_at(body, path) for path in (*_MESSAGES, ("error",)))), None)
    return f": {text}" if text else ""


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        for name in ("message", "detail", "title", "description", "info", "code"):
            if isinstance(value.get(name), str | int):
                return str(value[name])
    if isinstance(value, list) and value:
        return _short(value[0])
    return str(value)


def message_of(body: bytes) -> str:
    """The message in the body of an error, short and masked; nothing else of the body."""
    try:
        texts = ("error", "error_description", "error_message", "errorMessage", "msg", "errmsg", "reason")
        for path in (*_MESSAGES, *((text,) for text in texts), ("errors", "message")):
            if text := text_at(body.strip(), path):
                return f" ({mask_text(text)[:200]})"
        if errors := value_at(body.strip(), ("errors",)):
            return f" ({mask_text(_short(errors))[:200]})"
    except lenient_json.UNREADABLE:
        pass
    return ""


def wait_in_body(body: bytes) -> float | None:
    """Seconds to wait that the body of a refusal names; None when it names none."""
    try:
        named = (value_at(body.strip(), path) for path in (("retry_after",), ("parameters", "retry_after")))
        return next((delay for value in named if (delay := as_delay(value)) is not None), None)
    except lenient_json.UNREADABLE:
        return None


def backoff_in_body(body: bytes) -> float | None:
    """Seconds to wait before the next request that a good answer names as ``backoff``; None when it names none."""
    if b'"backoff"' not in body:
        return None
    try:
        return as_delay(value_at(body.strip(), ("backoff",)))
    except lenient_json.UNREADABLE:
        return None
