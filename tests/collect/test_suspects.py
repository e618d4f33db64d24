"""Who is to blame for batches that bring nothing, as a table of what happens to them."""

from __future__ import annotations

import pytest

from sportmonks.collect.suspects import MAX_SUSPECTED, Suspects
from sportmonks.errors import TransientApiError
from sportmonks.planning.batches import Batch

DOWN = "None of the requested fixtures came back: reason 1"


def batch(number: int) -> Batch:
    return Batch(number, (number * 10, number * 10 + 1), False)


def play(events: str) -> Suspects:
    """What happens to the batches 1, 2, 3 ... in turn, by a letter each.

    ``+`` it brings something, ``c`` its call fails, ``f`` each of its fixtures fails alone, ``a`` the same while the
    API answers another request. A capital letter is the second attempt at the batch that is to be repeated next: ``R``
    it brings something, ``C`` its call fails again, ``F`` each of its fixtures fails alone.
    """
    suspects = Suspects()
    numbers = iter(range(1, 100))
    for event in events:
        repeated = event.isupper()
        found = suspects.next_retry() if repeated else batch(next(numbers))
        assert found is not None, f"nothing to repeat at {event} in {events}"
        if event in "+R":
            suspects.record_success()
        else:
            reasons = dict.fromkeys(found.fixture_ids, f"reason {found.number}")
            suspects.add(found, reasons, call_failed=event in "cC", repeated=repeated, api_answers=event == "a")
    return suspects


def numbers(suspects: Suspects, *, interrupted: bool) -> list[int]:
    return [suspect.batch.number for suspect in suspects.to_blame(interrupted=interrupted)]


@pytest.mark.parametrize(
    ("events", "at_the_end", "interrupted"),
    [
        ("", [], []),
        ("+++", [], []),
        ("+f", [2], []),  # nothing has come since, so an interruption leaves it open
        ("f+", [1], [1]),
        ("f+f", [1, 3], [1]),
        ("ff+ff", [1, 2, 4, 5], [1, 2]),
        ("c+", [1], [1]),
        ("c+R", [], []),
        ("c+C", [1], [1]),
        ("c+F", [1], [1]),
        ("cf+C", [2, 1], [2, 1]),
        ("+cR", [], []),
        ("+cC", [2], [2]),  # failed twice: to blame even if an error follows
        ("+ccCR", [2], [2]),
        ("+fcC", [3, 2], [3]),
        ("+fcR", [2], [2]),
        ("a", [1], []),  # the API has answered, but not about these: an interruption leaves it open
        ("a+f", [1, 3], [1]),
        ("fff+fff", [1, 2, 3, 5, 6, 7], [1, 2, 3]),
    ],
)
def test_who_is_to_blame(events: str, at_the_end: list[int], interrupted: list[int]) -> None:
    suspects = play(events)
    assert numbers(suspects, interrupted=False) == at_the_end
    assert numbers(suspects, interrupted=True) == interrupted


@pytest.mark.parametrize("events", ["f", "c", "fc", "cfc", "fa", "ac", "aa"])
def test_an_api_that_brought_nothing_is_down_and_no_batch_is_to_blame(events: str) -> None:
    suspects = play(events)
    with pytest.raises(TransientApiError, match=DOWN):
        suspects.to_blame(interrupted=False)
    assert suspects.to_blame(interrupted=True) == []


@pytest.mark.parametrize("before", ["", "+", "f+", "+++"])
@pytest.mark.parametrize("kind", ["c", "f"])
def test_too_many_in_a_row_mean_that_the_api_is_down(before: str, kind: str) -> None:
    suspects = play(before + kind * MAX_SUSPECTED)
    last = len(before) + MAX_SUSPECTED + 1
    with pytest.raises(TransientApiError, match=f"came back: reason {last}$"):
        suspects.add(batch(last), {1: f"reason {last}"}, call_failed=kind == "c", repeated=False)
    # Only those before the last batch that brought something are recorded.
    assert numbers(suspects, interrupted=True) == ([1] if before == "f+" else [])


def test_repeated_batches_do_not_count_as_many_in_a_row() -> None:
    suspects = play("+" + "c" * MAX_SUSPECTED + "C" * MAX_SUSPECTED)
    assert numbers(suspects, interrupted=True) == [2, 3, 4]


@pytest.mark.parametrize(
    ("events", "repeats"),
    [
        ("c", []),  # the API has not proven that it works
        ("+f", []),  # its fixtures were requested alone already
        ("+c", [2]),
        ("c+", [1]),
        ("c+cf", [1, 3]),  # those to blame first
        ("+cC", []),  # no third attempt
    ],
)
def test_what_is_repeated(events: str, repeats: list[int]) -> None:
    suspects = play(events)
    found = []
    while (again := suspects.next_retry()) is not None:
        found.append(again.number)
    assert found == repeats


def test_the_reasons_are_recorded_with_the_batch() -> None:
    (suspect,) = play("f+").to_blame(interrupted=False)
    assert (suspect.batch, suspect.reasons) == (batch(1), {10: "reason 1", 11: "reason 1"})
