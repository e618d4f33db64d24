"""The body of an answer as JSON in UTF-8: unpacked, decoded from its charset, and the formats besides JSON.

What cannot change by asking again (a web page, XML, an unknown charset) is a FatalApiError that names it; what may be
damage on the way is a TransientApiError.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zlib
from dataclasses import dataclass

import msgspec

from sportmonks import lenient_json
from sportmonks.api.transport import DEFAULT_MAX_BYTES, HttpResponse, unpack_gzip
from sportmonks.errors import FatalApiError, TransientApiError
from sportmonks.redaction import mask_body, mask_text
from sportmonks.routes.spec import Format

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:+-]+)", re.I)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_DELIMITERS = (",", ";", "\t", "|")
_FILES = {b"PK\x03\x04": "a ZIP archive or a spreadsheet", b"%PDF": "a PDF", b"PAR1": "Parquet"}
# What some APIs put in front of their JSON, so that a browser does not run it as a script.
_GUARD = re.compile(rb"(?:\)\]\}'?,?|while\s*\(1\);|for\s*\(;;\);)\s*")
# How a spreadsheet learns the delimiter, in front of the header.
_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.I)
# In front of each text of a JSON text sequence (RFC 7464).
_RECORD_SEPARATOR = b"\x1e"


@dataclass(frozen=True, slots=True)
class Body:
    """``json``: the body where it is JSON, empty otherwise; ``rows``: the records where the format gives them as they
    are (a line or a row each), None where they are at a path. ``strict``: False where parts of it are not valid.
    ``columns``: of a CSV. ``misplaced``: JSON came where the route or the answer says CSV."""

    json: bytes = b""
    rows: list[msgspec.Raw] | None = None
    strict: bool = True
    columns: tuple[str, ...] | None = None
    misplaced: bool = False


def read_body(
    response: HttpResponse,
    form: Format,
    delimiter: str | None,
    label: str,
    *,
    lenient: bool,
    charset: str | None = None,
) -> Body:
    """The body of a good answer. ``charset``: its own whatever it declares. ``lenient``: take JSON with values that no
    decoder accepts (NaN, bytes not in UTF-8), whose records are then rejected one by one; without it they count as
    damage on the way.

    Raises FatalApiError and TransientApiError with ``label``.
    """
    body, form = _unpacked(response, label), _format(response, form)
    declared = _CHARSET.search(response.headers.get("Content-Type") or "")
    body = _utf8(body, charset or (declared[1] if declared else "utf-8"), label)
    # Whether the last line is complete as far as one can see.
    ended, body = body.endswith((b"\n", b"\r")), body.strip()
    if (guard := _GUARD.match(body)) is not None:
        body = body[guard.end() :]
    if not body:
        return Body()
    _refuse_markup(body, label)
    if form == "csv":
        return Body(body, misplaced=True) if _is_json(body) else _csv(body, delimiter, label, ended)
    if form == "ndjson":
        return _lines(body, label, lenient, ended)
    try:
        if not body.isascii():
            body.decode("utf-8")  # undecoded slices are not checked, and PostgreSQL would refuse the batch
        msgspec.json.decode(body, type=msgspec.Raw)
        return Body(body)
    except lenient_json.UNREADABLE as error:
        if form == "auto" and _is_ndjson(body):
            return _lines(body, label, lenient, ended)
        if not body.startswith((b"{", b"[")):
            raise _not_json_at_all(label, body) from None
        if lenient:
            return Body(body, strict=False)
        raise not_json(label, error) from None


def not_json(label: str, error: object) -> TransientApiError:
    """The error of a body that is no JSON."""
    return TransientApiError(f"{label}: the answer is no valid JSON ({str(error)[:120]}).")


def _not_json_at_all(label: str, body: bytes) -> TransientApiError:
    """The error of a text, which may be a message that passes, or a format that the route does not name."""
    # Masked before it is cut: the half of a secret would not be known as one.
    begin = mask_text(body[:4_000].decode("utf-8", "replace").splitlines()[0])[:60]
    return TransientApiError(
        f"{label}: the answer is no JSON, it begins with '{begin}'.",
        hint="If these are records: format: csv or format: ndjson in the route.",
    )


def _format(response: HttpResponse, form: Format) -> Format:
    kind = (response.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if form == "auto" and "csv" in kind:
        return "csv"
    if form == "auto" and re.search(r"ndjson|jsonl|json-lines|json-seq", kind):
        return "ndjson"
    return form


def _unpacked(response: HttpResponse, label: str) -> bytes:
    """The body, of all members of the file, also where it is gzip and no header says so."""
    if not response.body.startswith(b"\x1f\x8b"):
        return response.body
    try:
        body = unpack_gzip(response.body, DEFAULT_MAX_BYTES)
    except zlib.error as error:
        raise TransientApiError(f"{label}: the gzip of the answer is damaged ({error}).") from None
    if body is None:
        raise FatalApiError(f"{label}: the answer is too large once it is unpacked.", hint="Request smaller pages.")
    return mask_body(body)


def _utf8(body: bytes, name: str, label: str) -> bytes:
    for mark, marked in _BOMS:
        if body.startswith(mark):
            name = marked
            break
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        raise FatalApiError(f"{label}: the answer is in the charset '{name}', which is unknown.") from None
    if codec in ("utf-8", "ascii"):
        return body.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode(codec).removeprefix("\ufeff").encode()
    except (UnicodeError, TypeError) as error:
        raise TransientApiError(f"{label}: the answer is not in its charset {name} ({str(error)[:120]}).") from None


def _refuse_markup(body: bytes, label: str) -> None:
    for begin, kind in _FILES.items():
        if body.startswith(begin):
            raise FatalApiError(
                f"{label}: the answer is {kind}, which routes do not read.", hint="Request JSON or CSV from the API."
            )
    if not body.startswith(b"<"):
        return
    head = body[:300].lower()
    kind = "a web page (HTML)" if b"<html" in head or b"<!doctype html" in head else "XML"
    raise FatalApiError(
        f"{label}: the answer is {kind}, which routes do not read.",
        hint="Check host and path, or request JSON (query, or headers: {Accept: application/json}).",
    )


def _is_json(body: bytes) -> bool:
    if not body.startswith((b"{", b"[")):
        return False
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except lenient_json.UNREADABLE:
        return False
    return True


def _is_ndjson(body: bytes) -> bool:
    lines = [line for line in body.splitlines() if line.strip()]
    return len(lines) > 1 and all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines)


def _lines(body: bytes, label: str, lenient: bool, ended: bool) -> Body:
    # splitlines() would also split at characters that JSON allows within a text.
    lines = [line.strip(_RECORD_SEPARATOR + b" \t\r") for line in body.split(b"\n")]
    rows = [msgspec.Raw(line) for line in lines if line]
    if len(rows) == 1 and bytes(rows[0]) in (b"[]", b"null"):
        return Body(rows=[])
    if not any(bytes(memoryview(row)[:1]) == b"{" for row in rows):
        raise _not_json_at_all(label, body)
    # A last line that is neither readable nor ended was cut off on its way, and may not have been the last.
    for row in rows if not lenient else rows[-1:] if not ended else []:
        try:
            msgspec.json.decode(row)
        except lenient_json.UNREADABLE as error:
            raise not_json(label, error) from None
    return Body(rows=rows)


def _csv(body: bytes, delimiter: str | None, label: str, ended: bool) -> Body:
    """Each row under the header as an object of texts; a row with another number of values as a list of them, which is
    no record."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FatalApiError(
            f"{label}: the CSV is not in UTF-8, and the answer names no other charset (byte {error.start}).",
            hint="Name it in the route, such as charset: windows-1252.",
        ) from None
    if (separator := _SEPARATOR.match(text)) is not None:
        delimiter, text = delimiter or separator[1], text[separator.end() :]
    if delimiter is None:
        names_alone = re.sub(r'"[^"]*"', "", text).partition("\n")[0]
        delimiter = max(_DELIMITERS, key=names_alone.count)
    csv.field_size_limit(max(csv.field_size_limit(), DEFAULT_MAX_BYTES))
    try:
        found = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error as error:
        raise TransientApiError(f"{label}: the answer is no valid CSV ({error}).") from None
    names = [name.strip() or f"column_{place}" for place, name in enumerate(found[0], start=1)]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise FatalApiError(f"{label}: the CSV has the column {sorted(twice)[0]} twice.")
    if not ended and len(found[-1]) < len(names):
        raise TransientApiError(f"{label}: the last line of the CSV is cut off.")
    encode = msgspec.json.encode
    rows = [
        msgspec.Raw(encode(dict(zip(names, row, strict=True)) if len(row) == len(names) else row)) for row in found[1:]
    ]
    return Body(rows=rows, columns=tuple(names))
