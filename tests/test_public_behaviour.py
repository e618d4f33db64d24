"""The snapshot of what others hold on to is the code's."""

from __future__ import annotations

from tests.public_behaviour import FILE, snapshot


def test_what_others_hold_on_to_has_not_moved() -> None:
    assert snapshot() == FILE.read_text(encoding="utf-8"), (
        "If the change is meant: python -m tests.public_behaviour, and say in CHANGELOG.md what moves for users."
    )
