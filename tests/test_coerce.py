"""Plain values in the forms in which the provider has sent them."""

from __future__ import annotations

from datetime import datetime
from math import inf, nan
from typing import Any

import pytest

from sportmonks.coerce import as_epoch, as_int, as_rows, as_seconds, as_utc, clean_text, clean_value
from tests.harness.times import TIMES


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        (0, 0),
        (-7, -7),
        ("7", 7),
        (" 7 ", 7),
        ("\n-7\t", -7),
        ("007", 7),
        (7.0, 7),
        (-0.0, 0),
        (19683241, 19683241),
        (2**63 - 1, 2**63 - 1),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        (9.0e18, 9 * 10**18),
        # What no bigint holds is no integer, whatever it is written as.
        (2**63, None),
        (-(2**63) - 1, None),
        ("9223372036854775808", None),
        ("-9223372036854775809", None),
        (2.0**63, None),
        (1e300, None),
        (10**30, None),
        ("1" * 40, None),
        ("9" * 5000, None),
        ("", None),
        ("  ", None),
        ("-", None),
        ("--7", None),
        ("7-", None),
        ("- 7", None),
        ("+7", None),
        ("1_000", None),
        ("7.0", None),
        ("7.5", None),
        ("7e3", None),
        ("0x7", None),
        ("x", None),
        ("\u0667", None),  # a seven in Arabic: a digit to Python, none to PostgreSQL
        ("\u00b2", None),
        (7.5, None),
        (float("inf"), None),
        (float("nan"), None),
        (None, None),
        (True, None),
        (False, None),
        ([], None),
        ([7], None),
        ({}, None),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_integers_in_any_form(value: Any, number: int | None) -> None:
    found = as_int(value)
    assert found == number
    assert found is None or type(found) is int


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0.0),
        (3600, 3600.0),
        (1.5, 1.5),
        ("12", 12.0),
        (" 1.5 ", 1.5),
        (999_999_999, 999_999_999.0),
        (1e9, None),
        (-1, None),
        ("-0.1", None),
        (10**400, None),  # beyond any float
        ("9" * 400, None),
        (float("inf"), None),
        (float("nan"), None),
        ("", None),
        ("soon", None),
        (None, None),
        (True, None),
        ([1], None),
        ({}, None),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_durations_in_any_form(value: Any, seconds: float | None) -> None:
    assert as_seconds(value) == seconds


@pytest.mark.parametrize(
    ("value", "epoch"),
    [
        (0, 0),
        (1_780_156_800, 1_780_156_800),
        ("1780156800", 1_780_156_800),
        (1_780_156_800.0, 1_780_156_800),
        (253_402_300_799, 253_402_300_799),  # the last second of the year 9999
        (253_402_300_800, None),
        (1_780_156_800_000, None),  # milliseconds
        (-1, None),
        (1.5, None),
        ("2026-05-30", None),
        (None, None),
        (True, None),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_epochs_in_any_form(value: Any, epoch: int | None) -> None:
    assert as_epoch(value) == epoch


@pytest.mark.parametrize(("text", "time"), TIMES.items(), ids=repr)
def test_times_in_any_form(text: str, time: datetime | None) -> None:
    assert as_utc(text) == time


@pytest.mark.parametrize("value", [1_780_156_800, None, True, [], {}, b"2026-05-30"], ids=repr)
def test_what_is_no_text_is_no_time(value: Any) -> None:
    assert as_utc(value) is None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("A\x00B\x00", "AB"),
        ("\x00", ""),
        ("AB", "AB"),
        ("", ""),
        ("1\ud83d", "1\ufffd"),
        ("M\u00fcnchen \U0001f600", "M\u00fcnchen \U0001f600"),
    ],
    ids=repr,
)
def test_clean_text(value: str, found: str) -> None:
    assert clean_text(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [(None, None), (7, 7), (True, True), (1.5, 1.5), (nan, None), (-inf, None),
     (["\x00", ("a\udc00",)], ["", ["a\ufffd"]]),
     ({"a\x00": {"b": [nan, 1]}}, {"a": {"b": [None, 1]}})],
    ids=repr,
)  # fmt: skip
def test_clean_value(value: Any, found: Any) -> None:
    assert clean_value(value) == found


@pytest.mark.parametrize(
    ("value", "rows"),
    [([1], [1]), ([], []), ({"0": 1, "2": 3}, [1, 3]), ({"-1": 1}, [1]), ({}, []), ({"0": 1, "x": 2}, None),
     ({"data": []}, None), ("0", None), (None, None), (7, None)],
    ids=repr,
)  # fmt: skip
def test_lists_as_objects(value: Any, rows: Any) -> None:
    assert as_rows(value) == rows
