"""Text on its way to PostgreSQL, on every connection of this package.

PostgreSQL refuses NUL and halves of surrogate pairs, and the driver refuses them before it. Payloads and lists are
cleaned where they enter; what comes another way, such as the text of an error, must not be the reason why a run cannot
even record how it ended.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
from psycopg.types import string
from psycopg.types.json import set_json_dumps

from sportmonks.coerce import clean_text, clean_value


class _VarcharBinary(string.StrBinaryDumperVarchar):
    def dump(self, obj: str) -> Any:
        return super().dump(clean_text(obj))


class _TextBinary(string.StrBinaryDumper):
    def dump(self, obj: str) -> Any:
        return super().dump(clean_text(obj))


class _Varchar(string.StrDumperVarchar):
    def dump(self, obj: str) -> Any:
        return super().dump(clean_text(obj))


class _Text(string.StrDumper):
    def dump(self, obj: str) -> Any:
        return super().dump(clean_text(obj))


class _Unknown(string.StrDumperUnknown):
    def dump(self, obj: str) -> Any:
        return super().dump(clean_text(obj))


def clean_texts(conn: psycopg.Connection[Any]) -> None:
    """From here on, parameters and COPY rows of the connection are cleaned (``coerce.clean_text``, ``clean_value``)."""
    # The last one of each format becomes the default; the order is that of the driver's own dumpers.
    for dumper in (_VarcharBinary, _TextBinary, _Varchar, _Text, _Unknown):
        conn.adapters.register_dumper(str, dumper)
    set_json_dumps(_dumps, conn)


def _dumps(value: Any) -> str:
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(clean_value(value))
    # Escaped as json.dumps writes them; a text that merely looks so is cleaned in vain.
    return json.dumps(clean_value(value)) if "\\u0000" in text or "\\ud" in text else text
