"""The budget's functions in PostgreSQL, with the clock in hand: no test sleeps."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from tests.api.budget_books import NOON, Books, Conn, known


def test_an_unknown_window_lets_one_call_out_until_its_figures_are_there(books: Books) -> None:
    assert books.take(0).granted
    second = books.take(0.1)
    assert (second.granted, second.reason) == (False, "probing")
    assert second.wait <= 0.5
    books.settle(0.5, 59, limit=60)
    assert books.take(0.6).granted
    assert books.row()["remaining"] == 58


def test_a_killed_probe_is_given_up_after_half_a_minute_and_still_counted(books: Books) -> None:
    assert books.take(0).granted
    assert not books.take(29).granted
    assert books.take(30).granted
    # The API may have counted both calls though the second one's answer was the first to come.
    books.settle(31, 59, limit=60)
    assert books.row()["remaining"] == 58


def test_a_failed_probe_makes_room_at_once(books: Books) -> None:
    assert books.take(0).granted
    books.fail(1)
    assert books.take(1).granted


def test_an_error_answer_releases_the_probe_but_tells_nothing_about_the_limit(books: Books) -> None:
    assert books.take(0).granted
    books.settle(1, None, None, answered=False)
    assert books.row()["remaining"] is None
    assert books.take(1).granted


def test_answers_without_figures_start_our_own_count(books: Books) -> None:
    assert books.take(0).granted
    books.settle(1, None, None)
    row = books.row()
    assert (row["remaining"], row["call_limit"], row["estimated"]) == (1999, 2000, True)
    assert books.take(2).granted
    # Real figures replace the estimate as soon as one answer carries them.
    books.settle(3, 40, 100)
    row = books.row()
    assert (row["remaining"], row["estimated"], row["resets_at"]) == (40, False, NOON + timedelta(seconds=103))


def test_nothing_is_granted_at_zero_and_the_wait_ends_a_second_after_the_reset(books: Books) -> None:
    known(books, 2, resets_in=100)
    assert books.take(1).granted
    assert books.take(1).granted
    refused = books.take(41, urgent=True)
    assert (refused.granted, refused.reason, refused.wait) == (False, "empty", 60)
    assert not books.take(100.9).granted
    again = books.take(101)
    assert (again.granted, again.window) == (True, 1)


def test_figures_only_tighten_within_a_window(books: Books) -> None:
    known(books, 30)
    assert books.take(1).granted
    books.settle(2, 59)
    assert books.row()["remaining"] == 29
    # Somebody else uses the same key.
    books.settle(3, 7)
    assert books.row()["remaining"] == 7
    # A reset seen through a slow answer looks later than it is; a faster answer corrects it.
    books.settle(10, 7, 3500)
    assert books.row()["resets_at"] == NOON + timedelta(seconds=3510)
    books.settle(11, 7, 3599)
    assert books.row()["resets_at"] == NOON + timedelta(seconds=3510)


def test_a_late_answer_of_an_old_window_does_not_poison_the_new_one(books: Books) -> None:
    known(books, 5, resets_in=20)
    late = books.take(19)
    fresh = books.take(21)
    assert (late.window, fresh.window) == (0, 1)
    books.settle(21.1, 0, 0, window=late.window)
    assert books.row()["remaining"] is None
    books.settle(21.2, 59, 20, window=fresh.window, limit=60)
    assert books.row()["remaining"] == 59
    books.settle(21.3, 3, 0, window=late.window, latency=2)
    assert books.row()["remaining"] == 59
    assert books.block(21.4, 0, exhausted=True, window=late.window) == pytest.approx(21.4)
    assert books.take(21.5).granted


def test_a_call_that_fell_into_the_apis_next_window_brings_news_of_it(books: Books) -> None:
    known(books, 5, resets_in=20)
    at_the_edge = books.take(20.4)
    other = books.take(20.4)
    assert at_the_edge.granted
    assert other.granted
    books.settle(20.5, 59, 20, window=0, limit=60)
    row = books.row()
    assert (row["window_no"], row["remaining"], row["resets_at"]) == (1, 59, NOON + timedelta(seconds=40.5))
    # The other call carries the old number, but its reset shows that it is about this window.
    books.settle(20.6, 58, 20, window=0, limit=60)
    assert books.row()["remaining"] == 58


def test_a_reset_that_never_moves_does_not_loosen_the_window(books: Books) -> None:
    known(books, 10)
    for second in range(1, 5):
        books.settle(second, 50, 3600)
    assert books.row()["remaining"] == 10


def test_the_reserve_is_for_urgent_calls(books: Books) -> None:
    known(books, 7)
    assert books.take(1, reserve=0.1).granted
    kept = books.take(1, reserve=0.1)
    assert (kept.granted, kept.reason, kept.wait) == (False, "reserve", 3600)
    for _ in range(6):
        assert books.take(1, reserve=0.1, urgent=True).granted
    assert books.take(1, reserve=0.1, urgent=True).reason == "empty"


def test_the_limit_is_guessed_from_the_first_figure_when_no_answer_names_it(books: Books) -> None:
    assert books.take(0).granted
    books.settle(1, 59)
    assert books.row()["call_limit"] == 60
    # A reserve of a tenth of the assumed 2000 would have shut everything out.
    assert books.take(1, reserve=0.1).granted


def test_a_lower_limit_is_believed(books: Books) -> None:
    known(books, 100, limit=3000)
    books.settle(1, 40, limit=60)
    row = books.row()
    assert (row["call_limit"], row["remaining"]) == (60, 40)


def test_429_with_a_time_rests_that_bucket_only(books: Books) -> None:
    known(books, 50)
    assert books.block(10, 120) == 130
    assert (books.take(11).reason, books.take(11).wait) == ("blocked", 119)
    assert books.take(11, entity="League").granted
    assert books.take(130).granted
    assert books.row()["remaining"] == 49


def test_short_bursts_without_a_time_wait_longer_each_time(books: Books) -> None:
    known(books, 50)
    assert [books.block(at) - at for at in (0, 10, 20, 40)] == [1, 2, 4, 8]
    books.settle(60, 45)
    assert books.block(61) == 62


def test_an_exhausted_window_rests_until_the_known_reset(books: Books) -> None:
    known(books, 50, resets_in=1000)
    assert books.block(100, None, exhausted=True) == 1000
    assert books.row()["remaining"] == 0
    assert not books.take(1000.5).granted
    assert books.take(1001).granted


def test_the_newest_refusal_decides_and_is_followed_by_one_probe(books: Books) -> None:
    """429 with remaining 0 and retry_after 2, although the hour that was announced before ends much later."""
    known(books, 2900, limit=3000, resets_in=3000)
    assert books.block(10, 2, exhausted=True) == 12
    assert books.take(12.5).reason == "empty"
    probe = books.take(13)
    assert probe.granted
    assert books.take(13.1).reason == "probing"
    books.settle(13.5, 2898, 2986, window=probe.window, limit=3000)
    assert books.take(14).granted
    assert books.row()["remaining"] == 2897


def test_a_refusal_shortens_the_rest_that_an_older_one_required(books: Books) -> None:
    known(books, 50)
    assert books.block(1, 3000) == 3001
    # It was on its way when the first one came.
    assert books.block(2, 5) == 7
    assert books.take(6.9).reason == "blocked"
    assert books.take(7).granted
    # Without a time of its own it says nothing against what the API required before.
    assert books.block(8, 30) == 38
    assert books.block(9) == 38


@pytest.mark.parametrize("exhausted", [False, True])
@pytest.mark.parametrize("named", [0, -60, 0.001])
def test_a_wait_of_nothing_grows_from_a_floor(books: Books, named: float, exhausted: bool) -> None:
    known(books, 50)
    at, window, rests = 10.0, 0, []
    for _ in range(8):
        until = books.block(at, named, exhausted=exhausted, window=window)
        rests.append(until - at)
        taken = books.take(until + 1)
        assert taken.granted
        at, window = until + 2, taken.window
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60]
    books.settle(at, 40, window=window)
    assert books.block(at + 1, named, exhausted=exhausted, window=window) - at == 2


def test_calls_that_are_refused_side_by_side_count_as_one_refusal(books: Books) -> None:
    known(books, 50)
    for at in (10, 10.1, 10.2, 10.3):
        assert books.block(at, 2) == pytest.approx(at + 2)
    assert books.row()["limited_streak"] == 1
    assert books.row()["rate_limited_total"] == 4


def test_an_exhausted_window_of_unknown_length_rests_for_the_time_named_or_half_a_minute(books: Books) -> None:
    assert books.take(0).granted
    assert books.block(1, None, exhausted=True) == 31
    assert not books.take(30).granted
    assert books.take(32).granted
    assert books.block(33, 1847, exhausted=True, window=1) == 1880


def test_calls_booked_under_another_name_are_found_there(books: Books) -> None:
    assert books.take(0, entity="Resource").granted
    books.settle(1, 10, requested="League", entity="Resource", limit=60)
    assert books.row("League")["remaining"] == 10
    assert books.row("Resource")["probing_until"] is None
    taken = books.take(2, entity="Resource")
    assert (taken.granted, taken.bucket) == (True, "League")
    assert books.row("League")["remaining"] == 9
    # And back again when the API changes its mind.
    books.settle(3, 99, requested="Resource", entity="Resource", bucket="League", limit=100)
    assert books.take(4, entity="Resource").bucket == "Resource"


def test_figures_are_kept_in_bounds(books: Books) -> None:
    known(books, 50)
    books.settle(1, -5, 10**9, limit=10**12)
    row = books.row()
    assert (row["remaining"], row["call_limit"]) == (0, 2**31 - 1)


def test_gauges_show_a_window_that_is_over_as_unknown(warehouse: Conn) -> None:
    warehouse.execute("SELECT etl.take_api_call('c', 'Fixture')")
    warehouse.execute("SELECT etl.settle_api_call('c', 'Fixture', 'Fixture', 0, 10, 3600, 60)")
    gauge = "SELECT remaining, call_limit, circuit FROM etl.api_budget_now WHERE entity = 'Fixture'"
    assert warehouse.execute(gauge).fetchone() == (10, 60, "CLOSED")
    warehouse.execute("UPDATE etl.api_budget SET resets_at = clock_timestamp() - interval '1 minute'")
    assert warehouse.execute(gauge).fetchone() == (None, 60, "CLOSED")


@pytest.mark.parametrize(
    "bad",
    [
        "remaining = 5",
        "remaining = -1, resets_at = now()",
        "remaining = 61, call_limit = 60, resets_at = now()",
        "answers_as = 'Fixture'",
    ],
)
def test_impossible_rows_are_refused(warehouse: Conn, bad: str) -> None:
    warehouse.execute("INSERT INTO etl.api_budget (connection, entity) VALUES ('c', 'Fixture')")
    with pytest.raises(psycopg.errors.CheckViolation):
        warehouse.execute(f"UPDATE etl.api_budget SET {bad}")


def test_the_definitions_can_be_applied_again(warehouse: Conn) -> None:
    from sportmonks.config.settings import SQL_DIR

    warehouse.execute((SQL_DIR / "functions" / "budget.sql").read_text())
    warehouse.execute((SQL_DIR / "views" / "budget.sql").read_text())
