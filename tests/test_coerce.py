"""Integers in the forms that the provider has sent them in."""

from __future__ import annotations

from typing import Any

import pytest

from sportmonks.coerce import as_int


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
def test_integers_in_any_dress(value: Any, number: int | None) -> None:
    found = as_int(value)
    assert found == number
    assert found is None or type(found) is int
