"""Runs recorded on a real PostgreSQL: success, failure, retries, two at once, and the views over them."""

from __future__ import annotations

import contextlib
import importlib
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from sportmonks.incremental import IncrementalCollector, get_years_to_fetch, masked
from sportmonks.warehouse.connection import open_connection


def runs(conn: psycopg.Connection[Any], name: str) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT * FROM etl.collector_runs WHERE collector_name = %s ORDER BY run_id", (name,)
        ).fetchall()


def own_table(conn: psycopg.Connection[Any]) -> None:
    conn.execute("CREATE TABLE public.gdp (year int PRIMARY KEY, value numeric)")


def test_the_documented_use(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> None:
    """Full import first, two years afterwards; the upsert tells inserts from updates."""
    own_table(warehouse)
    fetched: list[int] = []
    this_year = datetime.now(UTC).year
    with open_connection(warehouse_dsn) as conn:
        for _ in range(2):
            with IncrementalCollector("my-collector", conn) as tracker:
                years = get_years_to_fetch(this_year - 25, this_year, tracker.last_run_time, 365)
                fetched.append(len(years))
                for year in years:
                    tracker.record_processed()
                    row = conn.execute(
                        "INSERT INTO public.gdp VALUES (%s, 1) ON CONFLICT (year) DO UPDATE SET value = 2"
                        " RETURNING (xmax = 0) AS inserted",
                        (year,),
                    ).fetchone()
                    assert row is not None
                    if row[0]:
                        tracker.record_inserted()
                    else:
                        tracker.record_updated()
                conn.commit()
    assert fetched == [26, 2]
    first, second = runs(warehouse, "my-collector")
    assert (first["status"], first["records_processed"], first["records_inserted"]) == ("success", 26, 26)
    assert (second["records_processed"], second["records_inserted"], second["records_updated"]) == (2, 0, 2)
    assert first["completed_at"] >= first["started_at"]


def test_data_that_was_not_committed_commits_with_the_figures(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    own_table(warehouse)
    with open_connection(warehouse_dsn) as conn, IncrementalCollector("c", conn) as tracker:
        conn.execute("INSERT INTO public.gdp VALUES (2000, 1)")
        tracker.record_inserted()
        assert [r["status"] for r in runs(warehouse, "c")] == ["running"]  # seen by others at once
    assert warehouse.execute("SELECT count(*) FROM public.gdp").fetchone() == (1,)
    assert runs(warehouse, "c")[0]["status"] == "success"


def test_inside_a_transaction_block_the_block_decides(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> None:
    own_table(warehouse)
    with open_connection(warehouse_dsn) as conn, conn.transaction(), IncrementalCollector("c", conn):
        conn.execute("INSERT INTO public.gdp VALUES (2000, 1)")
    assert runs(warehouse, "c")[0]["status"] == "success"

    def stumble() -> None:
        with open_connection(warehouse_dsn) as conn, conn.transaction(), IncrementalCollector("c", conn):
            conn.execute("INSERT INTO public.gdp VALUES (2001, 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    assert [r["status"] for r in runs(warehouse, "c")] == ["success", "failed"]
    assert warehouse.execute("SELECT count(*) FROM public.gdp").fetchone() == (1,)


def test_a_failure_rolls_back_and_is_recorded_masked(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> None:
    own_table(warehouse)
    with open_connection(warehouse_dsn) as conn:
        with IncrementalCollector("c", conn) as tracker:
            tracker.set_watermark("2025-01-01")
            tracker.mark_year(2020)

        def stumble() -> None:
            with IncrementalCollector("c", conn) as tracker:
                assert tracker.watermark == "2025-01-01"
                tracker.set_watermark("2025-06-01")
                tracker.mark_year(2021)
                tracker.record_processed(3)
                conn.execute("INSERT INTO public.gdp VALUES (2000, 1)")
                raise RuntimeError("GET https://api.example/v1?api_token=S3cr3tValue&page=2 gave 500")

        with pytest.raises(RuntimeError):
            stumble()
        conn.execute("SELECT 1")  # the connection is usable again
        later = IncrementalCollector("c", conn)
        assert later.watermark == "2025-01-01"
        assert set(later.year_runs) == {2020}
        assert later.last_run_time == runs(warehouse, "c")[0]["completed_at"]
    failed = runs(warehouse, "c")[1]
    assert (failed["status"], failed["records_processed"]) == ("failed", 3)
    assert "S3cr3tValue" not in failed["error_message"]
    assert failed["error_message"].startswith("RuntimeError: GET https://api.example/v1?api_token=***&page=2")
    assert warehouse.execute("SELECT count(*) FROM public.gdp").fetchone() == (0,)


def test_a_transaction_left_broken_is_a_failure(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> None:
    def stumble() -> None:
        with (
            open_connection(warehouse_dsn) as conn,
            IncrementalCollector("c", conn),
            contextlib.suppress(psycopg.errors.DivisionByZero),
        ):
            conn.execute("SELECT 1/0")

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        stumble()
    assert runs(warehouse, "c")[0]["status"] == "failed"


def test_years_are_skipped_by_their_own_age(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> None:
    now = datetime.now(UTC)
    with open_connection(warehouse_dsn) as conn:
        for expected in ([2000, 2001], []):
            with IncrementalCollector("advanced-collector", conn) as tracker:
                fetched = [y for y in (2000, 2001) if tracker.should_fetch_year(y, max_age_days=730)]
            assert fetched == expected
        warehouse.execute(
            "UPDATE etl.collector_periods SET fetched_at = now() - interval '731 days' WHERE period = 'year:2001'"
        )
        with IncrementalCollector("advanced-collector", conn) as tracker:
            years = tracker.years_to_fetch(2000, now.year, 730)
            tracker.unmark_year(now.year)
        assert years == [2001, *range(2002, now.year + 1)]
        again = IncrementalCollector("advanced-collector", conn)
        assert again.year_runs[2001] > now - timedelta(minutes=5)
        assert now.year not in again.year_runs


def test_a_repeated_try_takes_its_row_over(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> None:
    with open_connection(warehouse_dsn) as conn:

        def stumble() -> None:
            with IncrementalCollector("c", conn, "etl_1") as tracker:
                tracker.record_processed(5)
                raise RuntimeError("boom")

        with pytest.raises(RuntimeError):
            stumble()
        with IncrementalCollector("c", conn, "etl_1") as tracker:
            tracker.record_processed(7)
        (row,) = runs(warehouse, "c")
        assert (row["status"], row["records_processed"], row["error_message"]) == ("success", 7, None)
        # Cleared after its success: what it had left is still known to the new try.
        with IncrementalCollector("c", conn, "etl_1") as tracker:
            assert tracker.last_run_time == row["completed_at"]


def test_two_at_once_keep_their_own_figures(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> None:
    gate = threading.Barrier(4)
    problems: list[BaseException] = []

    def work(n: int) -> None:
        try:
            with open_connection(warehouse_dsn) as conn, IncrementalCollector("c", conn) as tracker:
                gate.wait(20)
                tracker.record_processed(n)
                tracker.mark_year(2000)
                tracker.mark_year(2001)
                gate.wait(20)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not problems
    found = runs(warehouse, "c")
    assert sorted(r["records_processed"] for r in found) == [1, 2, 3, 4]
    assert {r["status"] for r in found} == {"success"}


def test_a_connection_of_psycopg_2_serves_too(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> None:
    psycopg2 = importlib.import_module("psycopg2")
    conn = psycopg2.connect(warehouse_dsn)
    try:
        with IncrementalCollector("old", conn) as tracker:
            assert tracker.last_run_time is None
            tracker.record_unchanged(2)
        with pytest.raises(RuntimeError), IncrementalCollector("old", conn) as tracker:
            raise RuntimeError("boom")
    finally:
        conn.close()
    assert [(r["status"], r["records_unchanged"]) for r in runs(warehouse, "old")] == [
        ("success", 2),
        ("failed", 0),
    ]


def test_with_a_function_that_connects_no_connection_is_held(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    """Figures and marks are written with the data, through the caller's connection; the run ends once."""
    own_table(warehouse)
    opened: list[psycopg.Connection[Any]] = []

    def connect() -> psycopg.Connection[Any]:
        opened.append(open_connection(warehouse_dsn, autocommit=True))
        return opened[-1]

    fetched_at = datetime(2026, 3, 1, tzinfo=UTC)
    with IncrementalCollector("c", connect, "etl_1") as tracker:
        assert all(conn.closed for conn in opened)
        with connect() as conn, conn.transaction():
            conn.execute("INSERT INTO public.gdp VALUES (2000, 1)")
            tracker.record_inserted()
            tracker.mark_season(7)
            tracker.save(conn, now=fetched_at)
        (row,) = runs(warehouse, "c")
        assert (row["status"], row["records_inserted"], row["completed_at"]) == ("running", 1, None)
        assert IncrementalCollector("c", connect).season_runs == {7: fetched_at}
        with connect() as conn:
            tracker.record_failed()
            tracker.finish(conn, message="ended early")
    (row,) = runs(warehouse, "c")
    assert (row["status"], row["error_message"]) == ("success", "ended early")
    assert (row["records_inserted"], row["records_failed"]) == (1, 1)
    # What was saved is not marked again with the time of the end.
    assert IncrementalCollector("c", connect).season_runs == {7: fetched_at}
    with IncrementalCollector("c", connect, "etl_2") as tracker:
        tracker.record_unchanged(3)
    assert runs(warehouse, "c")[1]["records_unchanged"] == 3
    assert runs(warehouse, "c")[1]["status"] == "success"
    assert all(conn.closed for conn in opened)


def test_what_was_rolled_back_with_the_data_ends_as_a_failure(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    def stumble() -> None:
        with (
            IncrementalCollector("c", lambda: open_connection(warehouse_dsn, autocommit=True), "etl_1") as tracker,
            open_connection(warehouse_dsn) as conn,
            conn.transaction(),
        ):
            tracker.mark_season(7)
            tracker.finish(conn)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    (row,) = runs(warehouse, "c")
    assert (row["status"], row["error_message"]) == ("failed", "ZeroDivisionError: ")
    assert IncrementalCollector("c", warehouse).season_runs == {}


def test_a_run_that_has_ended_is_not_reopened(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with open_connection(warehouse_dsn, autocommit=True) as conn, IncrementalCollector("c", conn) as tracker:
        warehouse.execute("SELECT etl.close_abandoned_collector_runs(p_older_than => '-1 day')")
        tracker.record_processed()
        tracker.save(conn)
    (row,) = runs(warehouse, "c")
    assert (row["status"], row["records_processed"]) == ("failed", 0)
    assert caplog.text.count("has ended already or belongs to another try") == 2


def test_a_watermark_that_is_no_json_is_refused_where_it_is_set(warehouse: psycopg.Connection[Any]) -> None:
    with pytest.raises(TypeError):
        IncrementalCollector("c", warehouse).set_watermark(datetime.now(UTC))


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Authorization: Bearer abcdef123", "abcdef123"),
        ("headers {'Authorization': 'abcdef123'}", "abcdef123"),
        ("postgresql://u:abcdef123@host/db", "abcdef123"),
        ("host=x password=abcdef123 user=y", "abcdef123"),
        ("access_token=abcdef123", "abcdef123"),
    ],
)
def test_masked(text: str, gone: str) -> None:
    assert gone not in masked(text)
    assert len(masked("x" * 9000)) == 2000


# -- SQL ----------------------------------------------------------------------------------------------------


def test_record_collector_run_counts_nothing_twice(warehouse: psycopg.Connection[Any]) -> None:
    for _ in range(2):
        warehouse.execute(
            "SELECT etl.record_collector_run('leagues', 'etl_1', 'success', 10, 4, 3, 3, 0, '{\"id\": 9}')"
        )
    (row,) = runs(warehouse, "leagues")
    assert (row["records_processed"], row["records_unchanged"], row["watermark"]) == (10, 3, {"id": 9})
    warehouse.execute("SELECT etl.record_collector_run('leagues', 'etl_1', 'failed', p_error_message => 'late')")
    (row,) = runs(warehouse, "leagues")
    assert (row["status"], row["records_processed"], row["error_message"]) == ("failed", 10, "late")
    warehouse.execute("SELECT etl.record_collector_run('leagues', 'etl_1', 'running')")
    (row,) = runs(warehouse, "leagues")
    assert (row["status"], row["records_processed"], row["completed_at"]) == ("running", 0, None)
    # Without an execution every call is a run.
    warehouse.execute("SELECT etl.record_collector_run('leagues'), etl.record_collector_run('leagues')")
    assert len(runs(warehouse, "leagues")) == 3


def test_abandoned_runs_get_an_end(warehouse: psycopg.Connection[Any]) -> None:
    warehouse.execute("SELECT etl.record_collector_run('c', NULL, 'running', p_now => now() - interval '2 days')")
    warehouse.execute("SELECT etl.record_collector_run('c', NULL, 'running')")
    assert warehouse.execute("SELECT etl.close_abandoned_collector_runs()").fetchone() == (1,)
    assert [r["status"] for r in runs(warehouse, "c")] == ["failed", "running"]


def test_the_documented_questions(warehouse: psycopg.Connection[Any]) -> None:
    begin = datetime(2025, 11, 1, tzinfo=UTC)
    for day, (status, records, seconds) in enumerate(
        [("success", 10_000, 3600), ("success", 200, 100), ("failed", 5, 1), ("success", 100, 50)]
    ):
        start = begin + timedelta(days=day)
        warehouse.execute(
            "SELECT etl.record_collector_run("
            "'gdp', %s, %s, %s, p_error_message => %s, p_started_at => %s, p_now => %s)",
            (
                f"e{day}",
                status,
                records,
                "boom" if status == "failed" else None,
                start,
                start + timedelta(seconds=seconds),
            ),
        )
    warehouse.execute("SELECT etl.record_collector_run('fine', 'e0', 'success', 1)")
    with warehouse.cursor(row_factory=dict_row) as cursor:
        last = cursor.execute("SELECT * FROM etl.collector_last_runs WHERE collector_name = 'gdp' LIMIT 10").fetchall()
        errors = cursor.execute("SELECT * FROM etl.collectors_with_errors").fetchall()
        rates = cursor.execute("SELECT * FROM etl.collector_throughput WHERE collector_name = 'gdp'").fetchall()
    assert [(r["run_number"], r["records_processed"], r["duration"]) for r in last] == [
        (1, 100, timedelta(seconds=50)),
        (2, 5, timedelta(seconds=1)),
        (3, 200, timedelta(seconds=100)),
        (4, 10_000, timedelta(hours=1)),
    ]
    (error,) = errors
    assert (error["collector_name"], error["failures"], error["successes"]) == ("gdp", 1, 3)
    assert (error["last_error"], error["failing_now"]) == ("boom", False)
    (rate,) = rates
    assert (rate["first_records"], rate["later_avg_records"], float(rate["records_saved_percent"])) == (
        10_000,
        150,
        98.5,
    )
    assert (float(rate["avg_seconds"]), float(rate["later_avg_seconds"])) == (1250.0, 75.0)


@pytest.mark.parametrize("extra", ["", ", twice int GENERATED ALWAYS AS (v * 2) STORED"])
def test_add_timestamps_moves_updated_at_on_real_change_only(warehouse: psycopg.Connection[Any], extra: str) -> None:
    warehouse.execute(f"CREATE TABLE public.mine (id int PRIMARY KEY, v int, doc json{extra})")
    warehouse.execute("INSERT INTO public.mine (id, v, doc) VALUES (1, 1, '{}'), (2, 1, '{}')")
    for _ in range(2):
        warehouse.execute("SELECT etl.add_timestamps('public.mine')")

    def stamps() -> list[tuple[Any, ...]]:
        return warehouse.execute("SELECT created_at, updated_at FROM public.mine ORDER BY id").fetchall()

    before = stamps()
    warehouse.execute("UPDATE public.mine SET v = 1, updated_at = now() WHERE id = 1")
    assert stamps() == before
    warehouse.execute(
        "INSERT INTO public.mine (id, v, doc) VALUES (1, 1, '{}'), (2, 5, '{}')"
        " ON CONFLICT (id) DO UPDATE SET v = excluded.v, doc = excluded.doc"
    )
    after = stamps()
    assert after[0] == before[0]
    assert after[1][0] == before[1][0]
    assert after[1][1] > before[1][1]


def test_add_timestamps_says_what_it_cannot_do(warehouse: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="is not a table"):
        warehouse.execute("SELECT etl.add_timestamps('etl.collector_throughput')")
    warehouse.execute("CREATE TABLE public.odd (created_at text)")
    with pytest.raises(psycopg.errors.RaiseException, match=r"created_at of public\.odd is of type text"):
        warehouse.execute("SELECT etl.add_timestamps('public.odd')")
