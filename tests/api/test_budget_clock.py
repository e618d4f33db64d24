"""The budget after the clock of the server was set back: times that lie further ahead than their window are unknown."""

from __future__ import annotations

from tests.api.budget_books import Books, Conn, known

DAYS = 86_400.0


def test_a_window_from_before_the_clock_was_set_back_is_unknown(books: Books) -> None:
    known(books, 0, resets_in=3600)
    assert books.take(60).reason == "empty"
    back = -2 * DAYS
    first = books.take(back)
    assert first.granted
    assert books.take(back + 1).reason == "probing"
    books.settle(back + 2, 30, 3000, window=first.window, limit=60)
    assert books.take(back + 3).granted
    assert books.row()["remaining"] == 29


def test_a_rest_from_before_the_clock_was_set_back_is_over_for_good(books: Books) -> None:
    known(books, 50, resets_in=3600)
    books.block(10, 1800)
    back = -7200.0
    assert books.take(back).granted
    # Nor does it come back when the clock gets there again.
    books.settle(back + 1, 40, 3600, window=1)
    assert books.take(20).granted


def test_a_refusal_does_not_refer_to_a_reset_from_before_the_clock_was_set_back(books: Books) -> None:
    known(books, 50, resets_in=3600)
    assert books.block(-2 * DAYS, None, exhausted=True) == -2 * DAYS + 30


def test_a_probe_from_before_the_clock_was_set_back_is_lost(books: Books) -> None:
    assert books.take(0).granted
    assert books.take(1).reason == "probing"
    assert books.take(-2 * DAYS).granted


def test_a_circuit_from_before_the_clock_was_set_back_lets_a_probe_through(books: Books) -> None:
    known(books, 50, resets_in=20)
    for at in (1, 2, 3):
        books.fail(at)
    assert books.take(4).reason == "circuit"
    back = -2 * DAYS
    assert books.take(back).reason == "half-open"
    assert books.take(back + 1).reason == "circuit"
    # The probe was killed, and the clock is set back once more.
    assert books.take(2 * back).reason == "half-open"


def test_failures_from_before_the_clock_was_set_back_do_not_count(books: Books) -> None:
    known(books, 50)
    books.fail(1)
    books.fail(2)
    assert not books.fail(-2 * DAYS)
    assert not books.fail(-2 * DAYS + 1)
    assert books.fail(-2 * DAYS + 2)


def test_gauges_do_not_show_times_from_before_the_clock_was_set_back(warehouse: Conn) -> None:
    warehouse.execute("SELECT etl.take_api_call('c', 'Fixture')")
    warehouse.execute("SELECT etl.settle_api_call('c', 'Fixture', 'Fixture', 0, 10, 3600, 60)")
    warehouse.execute("SELECT etl.block_api('c', 'Fixture', 0, 60)")
    gauge = "SELECT remaining, resets_at IS NULL, blocked_until IS NULL FROM etl.api_budget_now"
    assert warehouse.execute(gauge).fetchone() == (10, False, False)
    warehouse.execute(
        "UPDATE etl.api_budget SET resets_at = resets_at + interval '2 days', blocked_until = now() + interval '2 days'"
    )
    assert warehouse.execute(gauge).fetchone() == (None, True, True)
