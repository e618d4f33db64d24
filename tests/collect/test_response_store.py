"""Responses that are saved until they are stored: what another version of the package has saved can be read."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sportmonks.collect.response_store import UNPACKABLE, pack, unpack
from sportmonks.load.batch import FetchedBatch

BATCH = FetchedBatch(
    number=3,
    requested=(7, 8, 9),
    rows={7: b'{"id":7}'},
    missing=(8,),
    poisoned={9: "HTTP 500"},
    calls=2,
    bytes=100,
    seconds=0.5,
    includes=("events",),
    at=datetime(2026, 3, 1, tzinfo=UTC),
    answer_id="a",
)
HEAD = (
    b'{"number":3,"asked":[7,8,9],"missing":[8],"poisoned":{"9":"HTTP 500"},"calls":2,"bytes":100,"seconds":0.5,'
    b'"includes":["events"],"at":"2026-03-01T00:00:00Z"}'
)
STORED = struct.pack(">qI", 0, len(HEAD)) + HEAD + struct.pack(">qI", 7, 8) + b'{"id":7}'


def test_a_response_is_saved_in_the_format_of_the_versions_before() -> None:
    assert zlib.decompress(pack(BATCH)) == STORED


def test_a_response_is_saved_as_it_came() -> None:
    """Of a row that comes twice the later one counts; rows of others are left out; padding after gzip says nothing."""
    first = gzip.compress(b'{"data":[{"id":7,"a":1},{"id":6},{"id":5}]}')
    second = gzip.compress(b'{"data":{"id":7,"a":2}}') + bytes(3)
    batch = replace(BATCH, rows={7: b'{"id":7,"a":2}', 5: b'{"id":5}'}, bodies=(first, second))
    packed = pack(batch)
    assert len(packed) < len(first) + len(second) + 400
    assert unpack(packed, "a") == replace(batch, bodies=())


@pytest.mark.parametrize("change", [lambda packed: packed[:-9], lambda packed: packed[:4], lambda packed: b"BODY?"])
def test_a_damaged_response_is_an_error_that_is_expected(change: Callable[[bytes], bytes]) -> None:
    packed = pack(replace(BATCH, bodies=(gzip.compress(b'{"data":[{"id":7}]}'),)))
    with pytest.raises(UNPACKABLE):
        unpack(change(packed), "a")


def test_a_response_saved_by_an_older_version_is_read() -> None:
    assert unpack(zlib.compress(STORED), "a") == BATCH
