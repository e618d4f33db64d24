"""Learning which include was refused."""

from __future__ import annotations

import pytest

from sportmonks.api.includes import ForbiddenIncludes, named_in, without

ASKED = ("participants", "scores", "events", "lineups.details", "xGFixture", "odds:value")


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("You do not have access to the 'odds' include", "odds"),
        ('The requested include "events" does not exist', "events"),
        ("Include 'lineups.details' is not allowed", "lineups.details"),
        ("The include `xgfixture` is not available on this endpoint", "xgfixture"),
        ("You do not have access to the 'xGFixture' include", "xgfixture"),
        ("You do not have access to the 'details' include", "lineups.details"),
        ("You do not have access to the 'lineups' include", "lineups"),
        ("odds include not part of your plan", "odds"),
        ("You do not have access to the 'predictions' include", None),
        ("The include is not allowed", None),
        ("You do not have access to the include", None),
    ],
)
def test_names_in_messages(message: str, name: str | None) -> None:
    assert named_in(message, ASKED) == name


@pytest.mark.parametrize(
    ("asked", "forbidden", "kept"),
    [
        (("a", "odds", "b"), "odds", ("a", "b")),
        (("a", "odds:value,label"), "odds", ("a",)),
        (("lineups.details", "a"), "lineups.details", ("lineups", "a")),
        (("lineups.details:type_id", "lineups"), "lineups.details", ("lineups",)),
        (("lineups.details.type", "lineups.player"), "lineups.details", ("lineups.player",)),
        (("lineups.details", "lineups"), "lineups", ()),
        (("Lineups.Details",), "lineups.details", ("Lineups",)),
        (("a",), "odds", ("a",)),
    ],
)
def test_leaving_one_out(asked: tuple[str, ...], forbidden: str, kept: tuple[str, ...]) -> None:
    assert without(asked, forbidden) == kept


def test_what_is_refused_on_one_entity_may_be_fine_on_another() -> None:
    learnt: list[tuple[str, str, int | None, str]] = []
    memory = ForbiddenIncludes([("Fixture", "odds")], lambda *each: learnt.append(each))
    assert memory.allowed("Fixture", ("odds", "scores", "scores")) == ("scores",)
    assert memory.allowed("League", ("odds",)) == ("odds",)
    assert memory.learn("League", "odds", 5002, "no")
    assert not memory.learn("League", "odds", 5002, "no")
    assert learnt == [("League", "odds", 5002, "no")]
    assert set(memory) == {("Fixture", "odds"), ("League", "odds")}
