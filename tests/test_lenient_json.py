"""JSON that a strict decoder refuses: split into its parts, and repaired value by value."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sportmonks.lenient_json import MAX_DEPTH, check, decode, elements, is_too_deep, listed, members, repair

DEEP = b"[" * 7000 + b"]" * 7000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'"1\\ud83d"', "1\ufffd"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\ude00\\ud83d"', "\ufffd\ufffd"),
        (b'"\\\\ud83d"', "\\ud83d"),
        (b'"M\xfcnchen"', "M\ufffdnchen"),
        (b'"a\x01\x00b\n"', "a\x01b\n"),
        (b"[NaN, -Infinity, Infinity, nan, -inf]", [None] * 5),
        (b'["NaN", "x: NaN, y", "\\", NaN", NaN]', ["NaN", "x: NaN, y", '", NaN', None]),
        (b"[1e400, -1e400, 1e308, 0e999]", [None, None, 1e308, 0.0]),
        (b"[" + b"7" * 5000 + b", 12]", [None, 12]),
        (b'{"a\\udc00": 1e400, "b": {"c": [NaN]}}', {"a\ufffd": None, "b": {"c": [None]}}),
    ],
)
def test_repaired_values(text: bytes, value: Any) -> None:
    found, flaws = decode(text)
    assert found == value
    assert bool(flaws) == (b"ud83d\\ude00" not in text and b"\\\\ud83d" not in text)


@pytest.mark.parametrize(
    "text", [b"", b"[1, 2", b'"x', b"12abc", b"[1 2]", b"{1: 2}", b"<html>", DEEP, b"[NaN", b"\xff\xfe"]
)
def test_what_cannot_be_repaired(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(text)


def test_good_json_is_not_touched() -> None:
    text = b'{"a": [1, 1.50, "\\u00fc \\/ \\" , NaN"], "b" : null}'
    assert repair(text).json == text
    assert repair(text).flaws == ()


def test_members_whatever_is_in_them() -> None:
    found = members(
        b'{ "id" : 7 , "x": ' + DEEP + b', "y": [NaN, "]}"], "n": nan, "t": "\xfc\\ud83d", "z": ' + b"1" * 5000 + b"}"
    )
    assert {key: bytes(value)[:9] for key, value in found.items()} == {
        "id": b"7", "x": b"[" * 9, "y": b'[NaN, "]}', "n": b"nan", "t": b'"\xfc\\ud83d"', "z": b"1" * 9,
    }  # fmt: skip
    assert bytes(found["x"]) == DEEP


def test_elements_whatever_is_in_them() -> None:
    rows = elements(b'[ {"a": NaN}, ' + DEEP + b' , "M\xfc" , {"b": "],"}]')
    assert [bytes(row)[:12] for row in rows] == [b'{"a": NaN}', b"[" * 12, b'"M\xfc"', b'{"b": "],"}']
    assert elements(b"[]") == elements(b"{}") == []


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (b'{"0": {"a": 1}, "2": {"a": NaN}}', [b'{"a": 1}', b'{"a": NaN}']),
        (b"{}", []),
        (b'{ "7" : 1}', [b"1"]),
        (b'{"0": 1, "x": 2}', None),
        (b'{"data": []}', None),
        (b"[1]", None),
        (b"null", None),
        (b'{"0": ', None),
    ],
)
def test_objects_that_are_lists(text: bytes, rows: list[bytes] | None) -> None:
    found = listed(text)
    assert (None if found is None else [bytes(row) for row in found]) == rows


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"id": 1}, {"id": 2, "x": NaN}], "rate_limit": {"remaining": 1}}',
        b'{"data": [{"id": 1, "x": ' + DEEP + b"}]}",
        b'{"data": {"0": {"id": 1, "name": "\xfc"}}, "message": "\\ud83d"}',
        b'{"data": [{"id": 1}], "x": NaN}',
    ],
)
def test_a_body_that_can_be_read_in_parts(body: bytes) -> None:
    check(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"id": 1}, {"id": 2, "x": N#N}]}',
        b'{"data": [{"id": 1}, {"id": 2, "x": NaN}',
        b'{"data": [{"id": 1} {"id": NaN}]}',
        b'{"data": [{"id": 1]}, "x": NaN}',
        b'{"data": [NaN]}}',
        b"NaN",
    ],
)
def test_a_body_that_was_damaged(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        check(body)


@pytest.mark.parametrize("levels", [1, 10, MAX_DEPTH, MAX_DEPTH + 1, 3000])
def test_depth(levels: int) -> None:
    brackets_in_text = b'["' + b"[{" * 500 + b'", ' + b"[]," * 400 + b"1]"
    assert not is_too_deep(brackets_in_text)
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")):
        times = levels if len(opening + closing) != 8 else levels // 2 or 1
        text = opening * times + b'"]"' + closing * times
        assert is_too_deep(text) == (times * (2 if opening.startswith(b"[{") else 1) > MAX_DEPTH)
