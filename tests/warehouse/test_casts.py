"""The provider's values into typed columns: what fits, fits in every form; the rest is NULL, never an error."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.harness.times import TIMES
from tests.warehouse.run_builder import One


@pytest.mark.parametrize(
    ("function", "text", "value"),
    [
        ("to_bigint", "14673943720", 14673943720),
        ("to_bigint", "-5", -5),
        ("to_bigint", "", None),
        ("to_bigint", "5.0", None),
        ("to_bigint", "9" * 19, None),
        ("to_bigint", "abc", None),
        ("to_bigint", None, None),
        ("to_int", "90", 90),
        ("to_int", "2147483648", None),
        ("to_int", "", None),
        ("to_bool", "true", True),
        ("to_bool", "0", False),
        ("to_bool", "", None),
        ("to_bool", "maybe", None),
        ("to_numeric", "7.52", Decimal("7.52")),
        ("to_numeric", "1e3", Decimal(1000)),
        ("to_numeric", "true", 1),
        ("to_numeric", "false", 0),
        ("to_numeric", "NaN", None),
        ("to_numeric", "1e999", None),
        ("to_numeric", "", None),
        ("to_utc", None, None),
    ],
)
def test_casts(one: One, function: str, text: str | None, value: Any) -> None:
    assert one(f"SELECT etl.{function}(%s)", text) == value


@pytest.mark.parametrize("style", ["ISO, MDY", "German", "SQL, DMY"])
def test_times_by_the_rule_of_the_package(one: One, style: str) -> None:
    one("SELECT set_config('DateStyle', %s, true), set_config('TimeZone', 'Asia/Tokyo', true)", style)
    query = "SELECT etl.to_utc(%s) IS NOT DISTINCT FROM %s::timestamptz"
    assert [text for text, time in TIMES.items() if not one(query, text, time)] == []


@pytest.mark.parametrize(
    ("seconds", "value"),
    [
        (1772377200, datetime(2026, 3, 1, 15, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (253402300799, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (253402300800, None),
        (1772377200000, None),
        (-1, None),
        (None, None),
    ],
)
def test_seconds_since_1970_become_a_time(one: One, seconds: int | None, value: datetime | None) -> None:
    assert one("SELECT etl.from_epoch(%s)", seconds) == value
