"""The circuit of the budget in PostgreSQL: failures in a row let all calls rest, and one probe ends the rest."""

from __future__ import annotations

from tests.api.budget_books import Books, known


def test_failures_in_a_row_open_the_circuit_for_all_entities_and_a_probe_closes_it(books: Books) -> None:
    known(books, 50)
    assert [books.fail(at) for at in (1, 2, 3)] == [False, False, True]
    refused = books.take(4, entity="League")
    assert (refused.granted, refused.reason, refused.wait) == (False, "circuit", 29)
    assert books.take(33).granted
    assert books.take(33.1).reason == "circuit"
    books.settle(34, 40)
    assert books.take(34).granted


def test_each_failed_probe_doubles_the_rest_up_to_the_cap(books: Books) -> None:
    known(books, 50)
    for at in (1, 2, 3):
        books.fail(at)
    at, rests = 33.0, []
    for _ in range(4):
        assert books.take(at).granted
        assert books.fail(at)
        refused = books.take(at)
        rests.append(refused.wait)
        at += refused.wait
    assert rests == [60, 100, 100, 100]


def test_a_killed_probe_of_the_circuit_is_replaced(books: Books) -> None:
    known(books, 50)
    for at in (1, 2, 3):
        books.fail(at)
    assert books.take(33).granted
    assert not books.take(50).granted
    assert books.take(63).granted


def test_a_success_or_a_pause_starts_the_count_of_failures_again(books: Books) -> None:
    known(books, 50)
    books.fail(1)
    books.fail(2)
    books.settle(3, 40)
    assert not books.fail(4)
    assert not books.fail(5)
    assert not books.fail(70)
    assert books.take(71).granted


def test_a_429_proves_that_the_api_is_alive(books: Books) -> None:
    known(books, 50)
    for at in (1, 2, 3):
        books.fail(at)
    assert books.take(33).granted
    books.block(34, 5)
    assert books.take(40).granted


def test_calls_from_before_the_rest_do_not_prolong_it(books: Books) -> None:
    known(books, 50)
    for at in (1, 2, 3, 4, 5, 20):
        books.fail(at)
    assert books.take(33).granted
