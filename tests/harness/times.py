"""Texts and the times that they mean: the table by which the Python and the SQL rule are tested."""

from __future__ import annotations

from datetime import UTC, datetime

TIMES: dict[str, datetime | None] = {
    "2026-05-30 16:00:00": datetime(2026, 5, 30, 16, tzinfo=UTC),
    " 2026-05-30 16:00:00\n": datetime(2026, 5, 30, 16, tzinfo=UTC),
    "2026-05-30 16:00": datetime(2026, 5, 30, 16, tzinfo=UTC),
    "2026-05-30": datetime(2026, 5, 30, tzinfo=UTC),
    "2026-05-30T16:00:00": datetime(2026, 5, 30, 16, tzinfo=UTC),
    "2026-05-30T16:00:00Z": datetime(2026, 5, 30, 16, tzinfo=UTC),
    "2026-05-30t16:00:00.250z": datetime(2026, 5, 30, 16, tzinfo=UTC),
    "2026-05-30T16:00:00.000000Z": datetime(2026, 5, 30, 16, tzinfo=UTC),
    "2026-03-28T20:45:00+01:00": datetime(2026, 3, 28, 19, 45, tzinfo=UTC),
    "2026-03-28T20:45:00+0100": datetime(2026, 3, 28, 19, 45, tzinfo=UTC),
    "2026-03-28T20:45:00+01": datetime(2026, 3, 28, 19, 45, tzinfo=UTC),
    "2026-03-28 20:45:00 -03:30": datetime(2026, 3, 29, 0, 15, tzinfo=UTC),
    "2026-03-28T20:45+00:00": datetime(2026, 3, 28, 20, 45, tzinfo=UTC),
    "2026-01-01T00:30:00+05:45": datetime(2025, 12, 31, 18, 45, tzinfo=UTC),
    "2024-02-29 12:00:00": datetime(2024, 2, 29, 12, tzinfo=UTC),
    "0001-01-01T00:00:00-05:00": datetime(1, 1, 1, 5, tzinfo=UTC),
    "9999-12-31 23:59:59": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    "0001-01-01T00:00:00+05:00": None,  # in UTC before the first year that datetime can hold
    "9999-12-31T23:59:59-05:00": None,
    "0000-00-00 00:00:00": None,
    "2026-13-45 99:00:00": None,
    "2026-13-01 15:00:00": None,
    "2026-02-30": None,
    "2026-03-01 25:00:00": None,
    "2026-03-01 24:00:00": None,
    "2026-03-01 15:00:60": None,
    "2026-03-01T15:00:00+16:00": None,
    "2026-03-01T15:00:00+1:00": None,
    "2026-03-01 nonsense": None,
    "2026-03-01 15:00:00 nonsense": None,
    "12026-03-01 15:00:00": None,
    "20260530": None,
    "30.05.2026": None,
    "infinity": None,
    "now": None,
    "soon": None,
    "": None,
}
